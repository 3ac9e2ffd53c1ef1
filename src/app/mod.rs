//! What a person does that writes: one file per deed.
