# mainspring_proto_library(NAME PROTO path [ROOT dir] [DEPS name...] [OPTIONS option...])
#
# Turns one proto into up to four targets, each built only when something links it:
#   NAME_proto       the messages
#   NAME_grpc        gRPC's own stubs, for clients
#   NAME_component   request enum, component base, in-process ref; links no gRPC
#   NAME_binding     the service on gRPC, served by the host's rpc layer
#
# PROTO is the path that other protos import it by, below ROOT (default: the calling folder).
# DEPS are the NAMEs of the libraries whose protos it imports.
# OPTIONS go to protoc-gen-mainspring; its README lists them.
function(mainspring_proto_library NAME)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "PROTO;ROOT" "DEPS;OPTIONS")
  if(NOT ARG_PROTO OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "mainspring_proto_library(${NAME}): PROTO is missing, or an argument is not known: ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT ARG_ROOT)
    set(ARG_ROOT ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
  # In Mainspring's own build, or in that of a project that has found it installed.
  set(inside FALSE)
  set(sanitize "")
  if(TARGET mainspring_sanitize)
    set(inside TRUE)
    set(sanitize mainspring_sanitize)
  endif()
  set(proto ${ARG_ROOT}/${ARG_PROTO})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/generated)
  string(REGEX REPLACE "\\.proto$" "" stem ${out}/${ARG_PROTO})
  file(MAKE_DIRECTORY ${out})

  set(imports -I${ARG_ROOT})
  foreach(dep IN LISTS ARG_DEPS)
    get_target_property(root ${dep}_proto MAINSPRING_PROTO_ROOT)
    list(APPEND imports -I${root})
  endforeach()
  list(REMOVE_DUPLICATES imports)

  add_custom_command(OUTPUT ${stem}.pb.h ${stem}.pb.cc
    COMMAND protobuf::protoc ${imports} --cpp_out=${out} ${proto}
    DEPENDS ${proto} VERBATIM)
  add_library(${NAME}_proto STATIC EXCLUDE_FROM_ALL ${stem}.pb.cc ${stem}.pb.h)
  set_target_properties(${NAME}_proto PROPERTIES MAINSPRING_PROTO_ROOT ${ARG_ROOT})
  target_include_directories(${NAME}_proto SYSTEM PUBLIC $<BUILD_INTERFACE:${out}>)
  target_link_libraries(${NAME}_proto PUBLIC protobuf::libprotobuf PRIVATE ${sanitize})

  add_custom_command(OUTPUT ${stem}.grpc.pb.h ${stem}.grpc.pb.cc
    COMMAND protobuf::protoc ${imports} --grpc_out=${out}
      --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin> ${proto}
    DEPENDS ${proto} VERBATIM)
  add_library(${NAME}_grpc STATIC EXCLUDE_FROM_ALL ${stem}.grpc.pb.cc ${stem}.grpc.pb.h)
  target_link_libraries(${NAME}_grpc PUBLIC ${NAME}_proto gRPC::grpc++ PRIVATE ${sanitize})

  string(JOIN "," options ${ARG_OPTIONS})
  add_custom_command(
    OUTPUT ${stem}.component.pb.h ${stem}.component.pb.cc ${stem}.binding.pb.h ${stem}.binding.pb.cc
    COMMAND protobuf::protoc ${imports} --mainspring_out=${options}:${out}
      --plugin=protoc-gen-mainspring=$<TARGET_FILE:mainspring::protoc-gen-mainspring> ${proto}
    DEPENDS ${proto} mainspring::protoc-gen-mainspring VERBATIM)
  add_custom_target(${NAME}_generate DEPENDS ${stem}.component.pb.h)

  add_library(${NAME}_component STATIC EXCLUDE_FROM_ALL ${stem}.component.pb.cc ${stem}.component.pb.h)
  add_dependencies(${NAME}_component ${NAME}_generate)
  target_link_libraries(${NAME}_component
    PUBLIC ${NAME}_proto mainspring::model PRIVATE ${sanitize})

  add_library(${NAME}_binding STATIC EXCLUDE_FROM_ALL ${stem}.binding.pb.cc ${stem}.binding.pb.h)
  add_dependencies(${NAME}_binding ${NAME}_generate)
  target_link_libraries(${NAME}_binding PUBLIC ${NAME}_component mainspring::rpc)
  if(inside)
    # Later, because the rpc layer stands above the protos and is not known yet.
    cmake_language(EVAL CODE "cmake_language(DEFER DIRECTORY \"${PROJECT_SOURCE_DIR}\"
      CALL target_precompile_headers ${NAME}_binding REUSE_FROM mainspring_rpc)")
  endif()

  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(${NAME}_proto PUBLIC ${dep}_proto)
    target_link_libraries(${NAME}_grpc PUBLIC ${dep}_proto)
  endforeach()
endfunction()
