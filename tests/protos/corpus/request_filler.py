"""Messages with every field set, from a seed: the same seed makes the same messages."""

import random

from google.protobuf.descriptor import FieldDescriptor

# How deep messages are filled, below which only what proto2 requires is set.
DEPTH = 3
REPEATED = 2

_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-2**31, 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-2**63, 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_LETTERS = "abc xyz/-\"\\äß世\u0000"


class RequestFiller:
    """One random sequence, from which all its messages are filled."""

    def __init__(self, seed):
        self._random = random.Random(seed)

    def filled(self, message_class):
        message = message_class()
        self._fill(message, DEPTH)
        return message

    def _fill(self, message, depth):
        chosen = {oneof.full_name: self._random.choice(oneof.fields).name
                  for oneof in message.DESCRIPTOR.oneofs}
        for field in message.DESCRIPTOR.fields:
            oneof = field.containing_oneof
            if oneof is None or chosen[oneof.full_name] == field.name:
                self._fill_field(message, field, depth)
        if message.DESCRIPTOR.is_extendable and depth > 0:
            for extension in message.DESCRIPTOR.file.pool.FindAllExtensions(message.DESCRIPTOR):
                self._fill_extension(message, extension, depth)

    def _fill_field(self, message, field, depth):
        required = field.label == FieldDescriptor.LABEL_REQUIRED
        if depth == 0 and not required:
            return
        if field.label == FieldDescriptor.LABEL_REPEATED:
            self._fill_repeated(getattr(message, field.name), field, depth - 1)
        elif field.message_type is None:
            setattr(message, field.name, self._value(field))
        else:
            each = getattr(message, field.name)
            each.SetInParent()
            self._fill(each, max(depth - 1, 0))

    def _fill_repeated(self, values, field, depth):
        if field.message_type is None:
            values.extend(self._value(field) for _ in range(REPEATED))
        elif field.message_type.GetOptions().map_entry:
            key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
            if value.message_type is None:
                values[self._value(key)] = self._value(value)
            else:
                self._fill(values[self._value(key)], depth)
        else:
            for _ in range(REPEATED):
                self._fill(values.add(), depth)

    def _fill_extension(self, message, extension, depth):
        if extension.label == FieldDescriptor.LABEL_REPEATED:
            self._fill_repeated(message.Extensions[extension], extension, depth - 1)
        elif extension.message_type is None:
            message.Extensions[extension] = self._value(extension)
        else:
            message.Extensions[extension].SetInParent()
            self._fill(message.Extensions[extension], depth - 1)

    def _value(self, field):
        """Not the default where there is another, since in proto3 that is not sent."""
        if field.cpp_type in _INTEGERS:
            return self._random.randint(*_INTEGERS[field.cpp_type]) or 1
        if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
            return self._random.randint(1, 2**20) / 8
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return True
        if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
            return self._random.choice(field.enum_type.values[-2:]).number
        text = "".join(self._random.choice(_LETTERS) for _ in range(self._random.randint(1, 12)))
        return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
