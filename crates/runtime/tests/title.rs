//! The process title, in a process of its own: it moves the environment, which nobody may read meanwhile.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use runtime::title;

#[test]
fn the_title_shows_and_the_arguments_survive() {
    let args: Vec<_> = std::env::args().collect();
    let path = std::env::var_os("PATH");
    title::init();
    title::set("rubellite-test 127.0.0.1:1");
    let shown = std::fs::read("/proc/self/cmdline").unwrap();
    assert!(shown.starts_with(b"rubellite-test 127.0.0.1:1\0"), "{}", String::from_utf8_lossy(&shown));
    assert_eq!(std::env::args().collect::<Vec<_>>(), args);
    assert_eq!(std::env::var_os("PATH"), path);
    // A title longer than the area is cut.
    title::set(&"x".repeat(1 << 20));
    let shown = std::fs::read("/proc/self/cmdline").unwrap();
    assert!(shown.starts_with(b"xxxx"));
    assert_eq!(std::env::var_os("PATH"), path);
}
