// DiffFiles: what differs between two sets of files, for people to read.
#ifndef MAINSPRING_SERVER_CONFIG_FILES_DIFF_H_
#define MAINSPRING_SERVER_CONFIG_FILES_DIFF_H_

#include <string>
#include <vector>

#include "mainspring/file_tree.h"

namespace mainspring {

// Unified, with a few lines around what differs, as `diff -u` writes it and, where nothing is left
// out, `patch -p1` takes it; a file that is not shown, and what is no file, in a line that begins
// with "#". Empty: nothing differs.
//
// Not shown is what is no text, has more than 10,000 lines or a MiB, or may not be read by
// everybody on either side; nor are `secrets`, wherever they stand. It ends once it has 256 KiB.
std::string DiffFiles(const FileTree& before, const FileTree& after,
                      const std::vector<std::string>& secrets);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_FILES_DIFF_H_
