# mainspring_proto_library(NAME PROTO path... [ROOT dir] [IMPORTS dir...] [DEPS library...]
#                          [OPTIONS option...])
#
# Turns protos into up to four targets, each built only when something links it:
#   NAME_proto       the messages
#   NAME_grpc        gRPC's own stubs, for clients
#   NAME_component   request enums, component bases, in-process refs; links no gRPC
#   NAME_binding     the services on gRPC, served by the host's rpc layer
#
# PROTO are the paths that other protos import them by, below ROOT (default: the calling folder).
# DEPS are what has the protos that they import: NAMEs of other such libraries, or any targets with
# generated messages, whose include directories have the protos too. What those import comes along.
# IMPORTS are further folders where protoc looks for imports.
# OPTIONS go to protoc-gen-mainspring; its README lists them.
function(mainspring_proto_library NAME)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "ROOT" "PROTO;IMPORTS;DEPS;OPTIONS")
  if(NOT ARG_PROTO OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "mainspring_proto_library(${NAME}): PROTO is missing, or an argument is not known: ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT ARG_ROOT)
    set(ARG_ROOT ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
  cmake_path(ABSOLUTE_PATH ARG_ROOT NORMALIZE)
  set(sanitize "")
  if(TARGET mainspring_sanitize)
    set(sanitize mainspring_sanitize)
  endif()
  set(out ${CMAKE_CURRENT_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${out})

  # Where protoc looks: folders, or generator expressions of them.
  set(roots ${ARG_ROOT})
  foreach(folder IN LISTS ARG_IMPORTS)
    cmake_path(ABSOLUTE_PATH folder NORMALIZE)
    list(APPEND roots ${folder})
  endforeach()
  set(deps "")
  foreach(dep IN LISTS ARG_DEPS)
    if(TARGET ${dep}_proto)
      list(APPEND deps ${dep}_proto)
      get_target_property(of_dep ${dep}_proto MAINSPRING_PROTO_ROOTS)
      list(APPEND roots ${of_dep})
    elseif(TARGET ${dep})
      list(APPEND deps ${dep})
      list(APPEND roots $<TARGET_PROPERTY:${dep},INTERFACE_INCLUDE_DIRECTORIES>)
    else()
      message(FATAL_ERROR "mainspring_proto_library(${NAME}): DEPS: there is no target ${dep}_proto or ${dep}; declare it before this")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES roots)
  set(imports "")
  foreach(root IN LISTS roots)
    list(APPEND imports "$<$<BOOL:${root}>:-I$<JOIN:${root},$<SEMICOLON>-I>>")
  endforeach()
  set(protoc protobuf::protoc ${imports})

  foreach(list IN ITEMS messages stubs components bindings)
    set(${list} "")
  endforeach()
  foreach(proto IN LISTS ARG_PROTO)
    if(NOT EXISTS ${ARG_ROOT}/${proto})
      message(FATAL_ERROR "mainspring_proto_library(${NAME}): there is no ${ARG_ROOT}/${proto}")
    endif()
    string(REGEX REPLACE "\\.proto$" "" stem ${out}/${proto})
    # The messages come first, again whenever an import has changed, and the rest after them. Ninja
    # wants the output first that is first in protoc's list.
    add_custom_command(OUTPUT ${stem}.pb.cc ${stem}.pb.h
      COMMAND ${protoc} --cpp_out=${out} --dependency_out=${stem}.pb.d ${proto}
      DEPENDS ${ARG_ROOT}/${proto} DEPFILE ${stem}.pb.d VERBATIM COMMAND_EXPAND_LISTS)
    list(APPEND messages ${stem}.pb.h ${stem}.pb.cc)
    list(APPEND stubs ${stem}.grpc.pb.h ${stem}.grpc.pb.cc)
    list(APPEND components ${stem}.component.pb.h ${stem}.component.pb.cc)
    list(APPEND bindings ${stem}.binding.pb.h ${stem}.binding.pb.cc)
  endforeach()
  add_custom_command(OUTPUT ${stubs}
    COMMAND ${protoc} --grpc_out=${out} --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>
      ${ARG_PROTO}
    DEPENDS ${messages} VERBATIM COMMAND_EXPAND_LISTS)
  list(TRANSFORM ARG_OPTIONS PREPEND --mainspring_opt=)
  add_custom_command(OUTPUT ${components} ${bindings}
    COMMAND ${protoc} --mainspring_out=${out} ${ARG_OPTIONS}
      --plugin=protoc-gen-mainspring=$<TARGET_FILE:mainspring::protoc-gen-mainspring> ${ARG_PROTO}
    DEPENDS ${messages} mainspring::protoc-gen-mainspring VERBATIM COMMAND_EXPAND_LISTS)
  # Each custom command by one target alone, whatever is built at a time.
  add_custom_target(${NAME}_messages DEPENDS ${messages})
  add_custom_target(${NAME}_generate DEPENDS ${components} ${bindings})
  add_dependencies(${NAME}_generate ${NAME}_messages)

  add_library(${NAME}_proto STATIC EXCLUDE_FROM_ALL ${messages})
  add_dependencies(${NAME}_proto ${NAME}_messages)
  set_target_properties(${NAME}_proto PROPERTIES MAINSPRING_PROTO_ROOTS "${roots}")
  target_include_directories(${NAME}_proto SYSTEM PUBLIC $<BUILD_INTERFACE:${out}>)
  target_link_libraries(${NAME}_proto PUBLIC protobuf::libprotobuf ${deps} PRIVATE ${sanitize})

  add_library(${NAME}_grpc STATIC EXCLUDE_FROM_ALL ${stubs})
  add_dependencies(${NAME}_grpc ${NAME}_messages)
  target_link_libraries(${NAME}_grpc PUBLIC ${NAME}_proto gRPC::grpc++ PRIVATE ${sanitize})

  add_library(${NAME}_component STATIC EXCLUDE_FROM_ALL ${components})
  add_dependencies(${NAME}_component ${NAME}_generate)
  target_link_libraries(${NAME}_component
    PUBLIC ${NAME}_proto mainspring::model PRIVATE ${sanitize})

  add_library(${NAME}_binding STATIC EXCLUDE_FROM_ALL ${bindings})
  add_dependencies(${NAME}_binding ${NAME}_generate)
  target_link_libraries(${NAME}_binding PUBLIC ${NAME}_component mainspring::rpc)

  # What a program does not use of all that is not linked into it: see mainspring_model.
  foreach(part IN ITEMS proto grpc component binding)
    target_compile_options(${NAME}_${part} PRIVATE -ffunction-sections -fdata-sections)
    # protoc's sources have names in common.
    set_target_properties(${NAME}_${part} PROPERTIES UNITY_BUILD OFF)
  endforeach()
endfunction()
