//! Cuntong.
