//! What a command is: the metadata of all commands, where their keys are, and their lookup by name.

#![forbid(unsafe_code)]
