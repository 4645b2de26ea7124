#include "mainspring/server/config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace mainspring {
namespace {

constexpr size_t kMostNodes = 50'000;
constexpr size_t kDeepest = 64;
constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";

Position PositionOf(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

// How many bytes the UTF-8 character at the beginning has; 0: none begins here (RFC 3629).
size_t CharacterSize(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong, a surrogate, or past the last.
  const unsigned char second = byte(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
      (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return size;
}

// Whether it can be parsed at all; says where it is not text.
bool IsText(absl::string_view text, Problems& problems) {
  Position at{1, 1};
  while (!text.empty()) {
    const size_t size = CharacterSize(text);
    const char first = text.front();
    if (size == 0) {
      problems.AddAt(at, "", "is not UTF-8: the byte \"", absl::CHexEscape(text.substr(0, 1)),
                     "\"; save the file as UTF-8");
      return false;
    }
    if ((absl::ascii_iscntrl(static_cast<unsigned char>(first)) && first != '\n' && first != '\r' &&
         first != '\t')) {
      problems.AddAt(at, "", "a control character, \"", absl::CHexEscape(text.substr(0, 1)), "\"");
      return false;
    }
    at = first == '\n' ? Position{at.line + 1, 1}
                       : Position{at.line, at.column + static_cast<int>(size)};
    text.remove_prefix(size);
  }
  return true;
}

// The first tab among the spaces that a line begins with, of each line that has more than these.
std::vector<Position> FindTabs(absl::string_view text) {
  std::vector<Position> tabs;
  for (int line = 1; !text.empty(); ++line) {
    const absl::string_view row = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), row.size() + 1));
    const size_t content = row.find_first_not_of(" \t\r");
    const size_t tab = row.find('\t');
    if (content != absl::string_view::npos && tab < content && row[content] != '#') {
      tabs.push_back({line, static_cast<int>(tab) + 1});
    }
  }
  return tabs;
}

// Makes the tree of yaml-cpp's events.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(Problems& problems) : problems_(problems) {}

  // What has been read; open maps and lists are closed.
  std::shared_ptr<const YamlNode> Take() {
    is_over_ = true;
    while (!open_.empty()) Close();
    return std::move(root_);
  }
  // The lines of texts that have several, with tabs.
  const std::set<int>& lines_of_text() const { return lines_of_text_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Place(New(YamlNode::Kind::kNothing, mark), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    auto node = New(YamlNode::Kind::kScalar, mark);
    node->text = value;
    node->quoted = tag != "?";
    // It may have tabs where others may not.
    const auto lines = static_cast<int>(std::count(value.begin(), value.end(), '\n'));
    if (lines > 0 && absl::StrContains(value, '\t')) {
      const int from = node->at.line + 1;
      for (int line = from; line <= from + lines; ++line) lines_of_text_.insert(line);
    }
    Place(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    // One inside of what it stands for is not known yet.
    if (found == anchors_.end()) {
      throw YAML::ParserException(mark, "an alias that stands for what it is in");
    }
    Count(found->second->size, mark);
    Place(found->second, YAML::NullAnchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Begin(YamlNode::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Begin(YamlNode::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Open {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor;
    // Of a map: where its keys are, and the one that waits for its value; nowhere, if it is none.
    std::map<std::string, Position> keys = {};
    std::optional<YamlNode::Entry> key = {};
  };

  void Count(size_t nodes, const YAML::Mark& mark) {
    nodes_ += nodes;
    if (nodes_ > kMostNodes) {
      throw YAML::ParserException(
          mark, absl::StrCat("more than ", kMostNodes, " values, aliases resolved"));
    }
  }

  std::shared_ptr<YamlNode> New(YamlNode::Kind kind, const YAML::Mark& mark) {
    Count(1, mark);
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->at = PositionOf(mark);
    return node;
  }

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    problems_.AddAt(PositionOf(mark), "", "a tag, ", absl::CHexEscape(tag.substr(0, 64)),
                    ", says nothing here; leave it out");
  }

  void Begin(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
             YAML::anchor_t anchor) {
    CheckTag(mark, tag);
    if (open_.size() == kDeepest) {
      throw YAML::ParserException(mark,
                                  absl::StrCat("more than ", kDeepest, " values in each other"));
    }
    open_.push_back({New(kind, mark), anchor});
  }

  void Close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    Place(std::move(done.node), done.anchor);
  }

  // Puts a value where it belongs: into the innermost that is open.
  void Place(std::shared_ptr<const YamlNode> node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& open = open_.back();
    if (open.node->kind == YamlNode::Kind::kMap && !open.key.has_value()) {
      return PlaceKey(open, *node);
    }
    open.node->size += node->size;
    if (open.node->kind == YamlNode::Kind::kList) {
      open.node->items.push_back(std::move(node));
      return;
    }
    YamlNode::Entry entry = *std::exchange(open.key, std::nullopt);
    if (entry.key_at.line == 0) return;
    entry.value = std::move(node);
    open.node->entries.push_back(std::move(entry));
  }

  void PlaceKey(Open& open, const YamlNode& node) {
    open.key.emplace();
    if (node.kind != YamlNode::Kind::kScalar) {
      // What was cut off may have been a value.
      if (!is_over_) problems_.AddAt(node.at, "", "a key that is no text");
      return;
    }
    open.key->key = node.text;
    open.key->key_at = node.at;
    const auto [first, is_new] = open.keys.emplace(node.text, node.at);
    if (!is_new) open.key->first_at = first->second;
  }

  Problems& problems_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, std::shared_ptr<const YamlNode>> anchors_;
  std::set<int> lines_of_text_;
  std::shared_ptr<const YamlNode> root_;
  size_t nodes_ = 0;
  bool is_over_ = false;
};

}  // namespace

YamlTree YamlTree::Parse(absl::string_view text, Problems& problems) {
  if (absl::ConsumePrefix(&text, kByteOrderMark)) {
    problems.AddAt({1, 1}, "", "begins with a byte order mark; save the file without one");
  }
  if (!IsText(text, problems)) return {};
  Builder builder(problems);
  YamlTree tree;
  std::optional<Problem> error;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    tree.whole = true;
    tree.root = builder.Take();
    Problems unheard;
    Builder rest(unheard);
    if (parser.HandleNextDocument(rest)) {
      const auto second = rest.Take();
      problems.AddAt(second == nullptr ? Position{} : second->at, "",
                     "a second document begins; a file is one");
    }
  } catch (const YAML::Exception& exception) {
    error = Problem{PositionOf(exception.mark), "",
                    absl::StrCat("is not YAML: ", absl::CHexEscape(exception.msg))};
  }
  if (!tree.whole) tree.root = builder.Take();
  // They are the reason, if the parser stumbles.
  bool has_tabs = false;
  for (const Position tab : FindTabs(text)) {
    if (builder.lines_of_text().count(tab.line) != 0) continue;
    problems.AddAt(tab, "", "a tab in the indentation; use spaces");
    has_tabs = true;
  }
  if (error.has_value() && !has_tabs) problems.AddAt(error->at, "", error->what);
  return tree;
}

}  // namespace mainspring
