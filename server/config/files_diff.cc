#include "mainspring/server/config/files_diff.h"

#include <sys/stat.h>

#include <algorithm>
#include <dtl/dtl.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "mainspring/server/config/redaction.h"
#include "mainspring/text.h"

namespace mainspring {
namespace {

using Lines = std::vector<std::string>;

constexpr size_t kLargestFile = size_t{1} << 20;
// Two that have nothing in common take a fifth of a second, on one core of 2026.
constexpr size_t kMostLines = 10'000;
constexpr size_t kLongestDiff = size_t{256} << 10;

const char* NameOf(FileEntry::Kind kind) {
  switch (kind) {
    case FileEntry::Kind::kFile:
      return "a file";
    case FileEntry::Kind::kDirectory:
      return "a directory";
    case FileEntry::Kind::kLink:
      return "a link";
  }
  return "";
}

std::string PermissionsOf(const FileEntry& entry) {
  return absl::StrFormat("%04o", entry.permissions);
}

std::string Describe(const FileEntry& entry) {
  if (entry.kind == FileEntry::Kind::kLink) return absl::StrCat("a link to ", entry.content);
  return absl::StrCat(NameOf(entry.kind), " with ", PermissionsOf(entry));
}

bool IsFile(const FileEntry* entry) {
  return entry != nullptr && entry->kind == FileEntry::Kind::kFile;
}

// Whether everybody may read it, and reach it.
bool IsOpen(const FileTree& tree, const std::string& path) {
  const auto found = tree.find(path);
  if (IsFile(found == tree.end() ? nullptr : &found->second) &&
      (found->second.permissions & S_IROTH) == 0) {
    return false;
  }
  for (size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    const auto directory = tree.find(path.substr(0, end));
    if (directory != tree.end() && (directory->second.permissions & S_IXOTH) == 0) return false;
  }
  return true;
}

bool IsText(const std::string& content) {
  return content.find('\0') == std::string::npos &&
         BoundedText(content, content.size() + 3).size() == content.size();
}

// The last one says so where it has no end.
Lines LinesOf(const std::string& content) {
  if (content.empty()) return {};
  Lines lines = absl::StrSplit(content, '\n');
  if (lines.back().empty()) {
    lines.pop_back();
  } else {
    lines.back() += "\n\\ No newline at end of file";
  }
  return lines;
}

// An empty part is said to begin at the line before it.
std::string Range(long long first, long long count) {
  return absl::StrCat(count == 0 ? first - 1 : first, ",", count);
}

std::string Hunks(const Lines& before, const Lines& after) {
  dtl::Diff<std::string> diff(before, after);
  diff.compose();
  diff.composeUnifiedHunks();
  std::string text;
  const auto append = [&](const auto& elements) {
    for (const auto& [line, info] : elements) {
      const char mark = info.type == dtl::SES_ADD ? '+' : info.type == dtl::SES_DELETE ? '-' : ' ';
      absl::StrAppend(&text, std::string(1, mark), line, "\n");
    }
  };
  for (const auto& hunk : diff.getUniHunks()) {
    absl::StrAppend(&text, "@@ -", Range(hunk.a, hunk.b), " +", Range(hunk.c, hunk.d), " @@\n");
    append(hunk.common[0]);
    append(hunk.change);
    append(hunk.common[1]);
  }
  return text;
}

class FilesDiff {
 public:
  explicit FilesDiff(const std::vector<std::string>& secrets) {
    // A secret may have another one in it.
    std::set<std::string> all(secrets.begin(), secrets.end());
    all.erase("");
    secrets_.assign(all.begin(), all.end());
    std::stable_sort(secrets_.begin(), secrets_.end(),
                     [](const auto& one, const auto& other) { return one.size() > other.size(); });
  }

  // Of one path; null: it is not there. `is_open`: everybody may read both.
  std::string Of(const std::string& path, const FileEntry* before, const FileEntry* after,
                 bool is_open) const {
    const std::string shown = BoundedText(Hide(path), 256);
    std::string remarks;
    const auto remark = [&](const auto&... what) {
      absl::StrAppend(&remarks, "# ", shown, ": ", what..., "\n");
    };
    if (before == nullptr) remark("is new: ", Describe(*after));
    if (after == nullptr) remark("is gone: ", Describe(*before));
    if (before != nullptr && after != nullptr && Describe(*before) != Describe(*after)) {
      remark("was ", Describe(*before), ", and is ", Describe(*after));
    }
    const std::string old_text = IsFile(before) ? before->content : "";
    const std::string new_text = IsFile(after) ? after->content : "";
    if (old_text == new_text) return Hide(remarks);
    if (!is_open) {
      remark("what is in it differs, and is not for everybody to read");
      return Hide(remarks);
    }
    if (!IsText(old_text) || !IsText(new_text)) {
      remark("what is in it differs, and is no text");
      return Hide(remarks);
    }
    const std::string old_shown = Hide(old_text);
    const std::string new_shown = Hide(new_text);
    const Lines old_lines = LinesOf(old_shown);
    const Lines new_lines = LinesOf(new_shown);
    if (std::max(old_text.size(), new_text.size()) > kLargestFile ||
        std::max(old_lines.size(), new_lines.size()) > kMostLines) {
      remark("what is in it differs, and is too much to be shown");
    } else if (old_shown == new_shown) {
      remark("what is secret in it differs");
    } else {
      return absl::StrCat(Hide(remarks), "--- ", IsFile(before) ? "a/" + shown : "/dev/null",
                          "\n+++ ", IsFile(after) ? "b/" + shown : "/dev/null", "\n",
                          Hunks(old_lines, new_lines));
    }
    return Hide(remarks);
  }

 private:
  std::string Hide(std::string text) const {
    for (const std::string& secret : secrets_) {
      if (absl::StrContains(text, secret)) absl::StrReplaceAll({{secret, kRedacted}}, &text);
    }
    return text;
  }

  std::vector<std::string> secrets_;
};

}  // namespace

std::string DiffFiles(const FileTree& before, const FileTree& after,
                      const std::vector<std::string>& secrets) {
  std::set<std::string> paths;
  for (const auto& [path, entry] : before) paths.insert(path);
  for (const auto& [path, entry] : after) paths.insert(path);
  const auto find = [](const FileTree& tree, const std::string& path) {
    const auto found = tree.find(path);
    return found == tree.end() ? nullptr : &found->second;
  };
  const FilesDiff diff(secrets);
  std::string text;
  for (const std::string& path : paths) {
    const FileEntry* const old_entry = find(before, path);
    const FileEntry* const new_entry = find(after, path);
    if (old_entry != nullptr && new_entry != nullptr && *old_entry == *new_entry) continue;
    text += diff.Of(path, old_entry, new_entry, IsOpen(before, path) && IsOpen(after, path));
    if (text.size() <= kLongestDiff) continue;
    text.resize(text.rfind('\n', kLongestDiff) + 1);
    return text + "# and more\n";
  }
  return text;
}

}  // namespace mainspring
