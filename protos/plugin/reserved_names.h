#ifndef MAINSPRING_PROTOS_PLUGIN_RESERVED_NAMES_H_
#define MAINSPRING_PROTOS_PLUGIN_RESERVED_NAMES_H_

#include <string_view>

namespace mainspring::plugin {

// A keyword of C++20, alternative tokens ("and", "xor_eq") included.
bool IsKeyword(std::string_view name);

// A macro of the C library's most included headers, which no scope protects from.
bool IsMacro(std::string_view name);

// A function, variable, type or macro that C's library or POSIX declares at global scope, where a
// namespace of that name cannot stand. Names with an underscore in them are left out.
bool IsCLibraryName(std::string_view name);

}  // namespace mainspring::plugin

#endif  // MAINSPRING_PROTOS_PLUGIN_RESERVED_NAMES_H_
