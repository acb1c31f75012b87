// Filled by its own module's work; see README.md.
