// YamlTree: a YAML document as a tree, with the place of everything in it. Strict where YAML is
// generous: what two readers of YAML take differently, and what is hardly meant, is a problem.
#ifndef MAINSPRING_SERVER_CONFIG_YAML_TREE_H_
#define MAINSPRING_SERVER_CONFIG_YAML_TREE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "mainspring/server/config/problems.h"

namespace mainspring {

struct YamlNode {
  enum class Kind {
    kNothing,  // a key without a value, `~` and `null`
    kScalar,
    kList,
    kMap,
  };
  struct Entry {
    std::string key;
    Position key_at;
    Position first_at;  // where the same key was given before; nowhere, where it was not
    std::shared_ptr<const YamlNode> value;
  };

  Kind kind = Kind::kNothing;
  Position at;
  std::string text;     // of a scalar
  bool quoted = false;  // in quotes, or a block of text: it is meant to be text
  std::vector<std::shared_ptr<const YamlNode>> items;
  std::vector<Entry> entries;
  // Nodes in it, with what aliases stand for as often as they are used.
  size_t size = 1;
};

// A parsed document. After a problem that ends the parsing, what was read until then.
struct YamlTree {
  std::shared_ptr<const YamlNode> root;  // null: there is nothing
  bool whole = false;

  // Adds to `problems`, with their places: what is not YAML, nor UTF-8; a byte order mark; tabs in
  // an indentation; a key that is no text; tags; a second document; more than 50,000 nodes, aliases
  // resolved, or 64 of them inside each other. `text` may be anything; memory is bounded by its
  // length and these.
  static YamlTree Parse(absl::string_view text, Problems& problems);
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_YAML_TREE_H_
