package shared

// Version is this project's, as FyneApp.toml has it.
const Version = "0.1.0"
