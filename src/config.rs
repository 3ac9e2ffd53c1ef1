//! One struct of configuration, from flags, environment and file.

/// Settings of the program.
#[derive(Debug, Clone, Default)]
pub struct Config {}
