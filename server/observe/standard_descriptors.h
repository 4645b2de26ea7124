// OpenStandardDescriptors: descriptors 0 to 2, open whatever the process was started with. What is
// opened next would else take their place, and be written to as if it were standard error.
#ifndef MAINSPRING_SERVER_OBSERVE_STANDARD_DESCRIPTORS_H_
#define MAINSPRING_SERVER_OBSERVE_STANDARD_DESCRIPTORS_H_

namespace mainspring {

// Opens those that are closed onto /dev/null. A program that links this, as one that calls HostMain
// does, has done so before main, and before the initialisers of its shared libraries: gRPC's takes
// a descriptor there.
void OpenStandardDescriptors();

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_OBSERVE_STANDARD_DESCRIPTORS_H_
