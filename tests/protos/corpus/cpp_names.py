"""What services, rpcs and messages of a descriptor set are called in C++.

The names of messages are protoc's. Those of services and rpcs follow protoc-gen-mainspring's one
rule, which is written down here for a second time, and nowhere else in this folder: a name that is
taken gets an underscore.
"""

# What protoc 3.21 appends an underscore to, in names of messages.
KEYWORDS = frozenset("""
    NULL alignas alignof and and_eq asm assert auto bitand bitor bool break case catch char char8_t
    char16_t char32_t class co_await co_return co_yield compl concept const const_cast consteval
    constexpr constinit continue decltype default delete do double dynamic_cast else enum explicit
    export extern false float for friend goto if inline int long mutable namespace new noexcept not
    not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires
    return short signed sizeof static static_assert static_cast struct switch template this
    thread_local throw true try typedef typeid typename union unsigned using virtual void volatile
    wchar_t while xor xor_eq
""".split())

# What no method can be called as well: macros of C's library, and members of a component.
NOT_FOR_METHODS = KEYWORDS | frozenset("""
    EOF errno stderr stdin stdout
    AnyHandler Component DependencyChanged Draining Handle Handler Ref Request RequestEnum Start Stop component
    context kMethod kService replies reply request requests
""".split())

# What is generated for a service, in the namespace of its package, in this order.
SUFFIXES = ("Call", "Methods", "Request", "Component", "Ref", "Dispatch", "Type")


def namespace(file):
    return "::" + file.package.replace(".", "::")


def _take(name, taken):
    while name in taken:
        name += "_"
    taken.add(name)
    return name


class ServiceNames:
    """A service's generated names, by suffix, and its methods, by rpc."""

    def __init__(self, service, taken):
        self._generated = {suffix: _take(service.name + suffix, taken) for suffix in SUFFIXES}
        self._generated["Bind"] = _take("Bind" + service.name, taken)
        self._methods = self._name_methods([rpc.name for rpc in service.method])

    def __getitem__(self, suffix):
        return self._generated[suffix]

    def method(self, rpc):
        return self._methods[rpc.name]

    def all(self):
        return self._generated.values()

    def _name_methods(self, rpcs):
        """Those that can keep their names come first, and all others make way for them."""
        unusable = NOT_FOR_METHODS.union(self.all())
        taken = {name for name in rpcs if name not in unusable}
        methods = {name: name for name in taken}
        for name in rpcs:
            if name in unusable:
                usable = name
                while usable in unusable:
                    usable += "_"
                methods[name] = _take(usable, taken)
        return methods


class CppNames:
    """Every message's class, and every service's names."""

    def __init__(self, files):
        self._files = {file.name: file for file in files}
        self._classes = {}
        self._declared = {}
        for file in files:
            self._declared[file.name] = self._declare(file)
        self._services = {}

    def message(self, full_name):
        """The class of a message, which is named as in a descriptor, with a dot before it."""
        return self._classes[full_name]

    def services(self, file):
        """The names of each service of a file, in order."""
        if file.name not in self._services:
            taken = self._taken_before(file)
            self._services[file.name] = [ServiceNames(service, taken) for service in file.service]
        return self._services[file.name]

    def _taken_before(self, file):
        taken = set(self._declared[file.name])
        for other in self._imports(file):
            if other.package == file.package:
                taken |= self._declared[other.name]
                for names in self.services(other):
                    taken.update(names.all())
        return taken

    def _imports(self, file):
        found, new = {}, list(file.dependency)
        while new:
            name = new.pop()
            if name not in found:
                found[name] = self._files[name]
                new.extend(found[name].dependency)
        return found.values()

    def _declare(self, file):
        """The names that protoc declares for a file in the namespace of its package."""
        names = {service.name for service in file.service}
        for enum in file.enum_type:
            names.add(_class_name(enum, ""))
            names.update(value.name for value in enum.value)
        for message in file.message_type:
            self._declare_message(message, f".{file.package}", namespace(file), "", names)
        return names

    def _declare_message(self, message, scope, cpp_namespace, outer, names):
        full_name, name = f"{scope}.{message.name}", _class_name(message, outer)
        self._classes[full_name] = f"{cpp_namespace}::{name}"
        names.add(name)
        names.update(_class_name(enum, f"{name}_") for enum in message.enum_type)
        for nested in message.nested_type:
            self._declare_message(nested, full_name, cpp_namespace, f"{name}_", names)


def _class_name(declared, outer):
    name = outer + declared.name
    if declared.DESCRIPTOR.name == "DescriptorProto" and declared.options.map_entry:
        name += "_DoNotUse"
    return f"{name}_" if name in KEYWORDS else name
