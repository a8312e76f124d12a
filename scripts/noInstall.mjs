#!/usr/bin/env node
// Stands where SST looks for its package manager, and installs nothing: what SST needs is in the project's node_modules.
process.exitCode = 0;
