//! TLS: certificates, protocols, and which links use it.

use super::{INT_MAX, NO_TLS};
use crate::kind::{YES_NO, anything, choice, int, optional_text};

choice! {
    /// Whether clients must show a certificate.
    AuthClients {
        No = "no",
        Yes = "yes",
        /// One that is shown must be valid.
        Optional = "optional",
    }
}

choice! {
    /// Which part of a client's certificate names its user.
    AuthClientsUser {
        CommonName = "CN",
        Uri = "URI",
        Off = "off",
    }
}

section! {
    /// TLS.
    Tls in tls;

    /// TLS port; 0 listens on none.
    port: u16 = 0 => "tls-port", int(0, 65535), accepted NO_TLS;
    /// Sessions kept for resumption.
    session_cache_size: u32 = 20480 => "tls-session-cache-size", int(0, INT_MAX), accepted NO_TLS;
    /// Seconds for which a session can be resumed.
    session_cache_timeout: u32 = 300 => "tls-session-cache-timeout", int(0, INT_MAX), accepted NO_TLS;
    /// Seconds between looks for new certificate files; 0 never looks.
    auto_reload_interval: u32 = 0 => "tls-auto-reload-interval", int(0, INT_MAX), accepted NO_TLS;
    /// TLS on the cluster bus.
    cluster: bool = false => "tls-cluster", YES_NO, accepted NO_TLS;
    /// TLS towards the primary.
    replication: bool = false => "tls-replication", YES_NO, accepted NO_TLS;
    /// Whether clients must show a certificate.
    auth_clients: AuthClients = AuthClients::Yes => "tls-auth-clients", choice(), accepted NO_TLS;
    /// Log a client in as the user that its certificate names.
    auth_clients_user: AuthClientsUser = AuthClientsUser::Off => "tls-auth-clients-user", choice(), accepted NO_TLS;
    /// Let the server's order of ciphers decide.
    prefer_server_ciphers: bool = false => "tls-prefer-server-ciphers", YES_NO, accepted NO_TLS;
    /// Resume sessions.
    session_caching: bool = true => "tls-session-caching", YES_NO, accepted NO_TLS;
    /// Certificate shown to clients.
    cert_file: Option<Vec<u8>> = None => "tls-cert-file", optional_text(anything), [volatile], accepted NO_TLS;
    /// Its key.
    key_file: Option<Vec<u8>> = None => "tls-key-file", optional_text(anything), [volatile], accepted NO_TLS;
    /// Pass phrase of the key.
    key_file_pass: Option<Vec<u8>> = None => "tls-key-file-pass", optional_text(anything), [sensitive], accepted NO_TLS;
    /// Certificate shown to other servers.
    client_cert_file: Option<Vec<u8>> = None => "tls-client-cert-file", optional_text(anything), [volatile],
        accepted NO_TLS;
    /// Its key.
    client_key_file: Option<Vec<u8>> = None => "tls-client-key-file", optional_text(anything), [volatile],
        accepted NO_TLS;
    /// Pass phrase of that key.
    client_key_file_pass: Option<Vec<u8>> = None => "tls-client-key-file-pass", optional_text(anything), [sensitive],
        accepted NO_TLS;
    /// Diffie-Hellman parameters.
    dh_params_file: Option<Vec<u8>> = None => "tls-dh-params-file", optional_text(anything), [volatile],
        accepted NO_TLS;
    /// Authorities whose certificates are trusted, in one file.
    ca_cert_file: Option<Vec<u8>> = None => "tls-ca-cert-file", optional_text(anything), [volatile], accepted NO_TLS;
    /// The same, as a directory.
    ca_cert_dir: Option<Vec<u8>> = None => "tls-ca-cert-dir", optional_text(anything), [volatile], accepted NO_TLS;
    /// Versions of the protocol to speak.
    protocols: Option<Vec<u8>> = None => "tls-protocols", optional_text(anything), accepted NO_TLS;
    /// Ciphers up to TLS 1.2.
    ciphers: Option<Vec<u8>> = None => "tls-ciphers", optional_text(anything), accepted NO_TLS;
    /// Cipher suites of TLS 1.3.
    ciphersuites: Option<Vec<u8>> = None => "tls-ciphersuites", optional_text(anything), accepted NO_TLS;
    /// TLS connections accepted in one turn of the loop.
    max_new_connections_per_cycle: u32 = 1 => "max-new-tls-connections-per-cycle", int(1, 1000), accepted NO_TLS;
}
