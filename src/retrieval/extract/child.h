// The process that reads files: `tandem --read-files`, started by Extractor in a sandbox. It takes questions from its
// standard input, which is a socket, and answers them there, one after the other.
#pragma once

namespace tandem::retrieval {

inline constexpr const char* kChildArgument = "--read-files";

// `memory_mib` bounds what the process may take. Ends when the other side has; gives the process's exit code.
int read_files(int memory_mib);

}  // namespace tandem::retrieval
