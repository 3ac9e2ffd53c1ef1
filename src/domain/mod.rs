//! Pure rules and types: area codes, project lifecycle, figures, lights. No SQL, no clock, no await.
