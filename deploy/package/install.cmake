# What `cmake --install` puts where, and what is packaged.
#
#   runtime       the host and its manual page
#   system        units, configuration: where a Debian package puts them, and only there
#   development   headers, libraries, the plugin and a CMake package, to build hosts of one's own
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(units ${PROJECT_SOURCE_DIR}/deploy/systemd)

install(TARGETS mainspringd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
install(FILES ${units}/mainspringd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8 COMPONENT runtime)
install(FILES ${units}/mainspring.service ${units}/mainspring.socket
  DESTINATION lib/systemd/system COMPONENT system EXCLUDE_FROM_ALL)
install(FILES ${units}/defaults DESTINATION /etc/default RENAME mainspring
  COMPONENT system EXCLUDE_FROM_ALL)
install(FILES ${units}/mainspring.yaml DESTINATION /etc/mainspring
  COMPONENT system EXCLUDE_FROM_ALL)
install(FILES ${PROJECT_SOURCE_DIR}/deploy/package/copyright
  DESTINATION share/doc/mainspring COMPONENT system EXCLUDE_FROM_ALL)

# A program links mainspring::server and the bindings of its protos; the rest comes with these.
set(exported protoc-gen-mainspring mainspring_options mainspring_sanitize mainspring_model mainspring_testing
  mainspring_probe mainspring_observe mainspring_world mainspring_address mainspring_listener mainspring_rpc
  mainspring_config mainspring_flags mainspring_supervisor mainspring_health mainspring_reflection
  mainspring_lifecycle mainspring_reconfigure mainspring_drain mainspring_signals mainspring_systemd mainspring_planes
  mainspring_server mainspring_testing_host
  mainspring_details_proto mainspring_setting_proto mainspring_host_proto mainspring_config_v1_proto
  mainspring_config_v1_component mainspring_config_v1_binding mainspring_lifecycle_proto mainspring_lifecycle_component mainspring_lifecycle_binding
  mainspring_health_proto mainspring_health_grpc mainspring_health_component
  mainspring_health_binding)
foreach(version IN ITEMS v1 v1alpha)
  list(APPEND exported mainspring_reflection_${version}_proto
    mainspring_reflection_${version}_component mainspring_reflection_${version}_binding)
endforeach()
foreach(target IN LISTS exported)
  string(REGEX REPLACE "^mainspring_" "" name ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
endforeach()
install(TARGETS ${exported} EXPORT mainspring
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT development)

# All that is on the path of whoever builds on it begins with mainspring/: the model, what generated
# bindings and a main include of the host, and the messages of its own services.
set(headers ${CMAKE_INSTALL_INCLUDEDIR}/mainspring)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/components/mainspring/ DESTINATION ${headers}
  COMPONENT development FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/server/public/mainspring/ DESTINATION ${headers}
  COMPONENT development FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_SOURCE_DIR}/server/host.h ${PROJECT_SOURCE_DIR}/server/host_main.h
  ${PROJECT_SOURCE_DIR}/server/running_host.h
  DESTINATION ${headers}/server COMPONENT development)
install(FILES ${PROJECT_SOURCE_DIR}/server/drain/drain_trigger.h
  DESTINATION ${headers}/server/drain COMPONENT development)
foreach(folder IN ITEMS config observe rpc world)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/server/${folder} DESTINATION ${headers}/server
    COMPONENT development FILES_MATCHING PATTERN "*.h")
endforeach()
install(DIRECTORY ${PROJECT_BINARY_DIR}/protos/generated/mainspring/ DESTINATION ${headers}
  COMPONENT development FILES_MATCHING PATTERN "*.h" PATTERN clock EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/SECURITY.md
  ${PROJECT_SOURCE_DIR}/CHANGELOG.md ${PROJECT_SOURCE_DIR}/LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/tests/consumer/
  DESTINATION ${CMAKE_INSTALL_DOCDIR}/example COMPONENT development
  PATTERN "*.py" EXCLUDE)
# The libraries' symbols are of use to who has these sources alone.
find_program(MAINSPRING_STRIP NAMES ${CMAKE_STRIP} strip REQUIRED)
install(CODE "
  set(libdir \"${CMAKE_INSTALL_LIBDIR}\")
  cmake_path(ABSOLUTE_PATH libdir BASE_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}\" OUTPUT_VARIABLE folder)
  file(GLOB libraries \"\$ENV{DESTDIR}\${folder}/libmainspring_*.a\")
  if(libraries)
    execute_process(COMMAND ${MAINSPRING_STRIP} --strip-debug \${libraries} COMMAND_ERROR_IS_FATAL ANY)
  endif()"
  COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/protos/mainspring
  DESTINATION ${CMAKE_INSTALL_DATADIR}/mainspring/protos
  COMPONENT development FILES_MATCHING PATTERN "*.proto")

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/mainspring)
configure_package_config_file(${PROJECT_SOURCE_DIR}/deploy/package/mainspringConfig.cmake.in
  ${PROJECT_BINARY_DIR}/mainspringConfig.cmake INSTALL_DESTINATION ${package}
  PATH_VARS CMAKE_INSTALL_DATADIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/mainspringConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(EXPORT mainspring NAMESPACE mainspring:: FILE mainspringTargets.cmake
  DESTINATION ${package} COMPONENT development)
install(FILES
  ${PROJECT_BINARY_DIR}/mainspringConfig.cmake
  ${PROJECT_BINARY_DIR}/mainspringConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/protos/plugin/mainspring_proto_library.cmake
  DESTINATION ${package} COMPONENT development)

# What was built is packaged, not built again.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME mainspring)
set(CPACK_PACKAGE_VENDOR Mainspring)
set(CPACK_PACKAGE_CONTACT "The Mainspring authors <mainspring@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL runtime system)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers (>= 1.52), tzdata")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/deploy/package/conffiles
  ${PROJECT_SOURCE_DIR}/deploy/package/postinst
  ${PROJECT_SOURCE_DIR}/deploy/package/prerm
  ${PROJECT_SOURCE_DIR}/deploy/package/postrm)
include(CPack)
