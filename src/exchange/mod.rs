//! Formats in and out, and the demo province.
