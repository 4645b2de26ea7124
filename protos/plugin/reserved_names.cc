#include "protos/plugin/reserved_names.h"

namespace mainspring::plugin {
namespace {

constexpr std::string_view kKeywords =
    R"(
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
char32_t class co_await co_return co_yield compl concept const const_cast consteval constexpr
constinit continue decltype default delete do double dynamic_cast else enum explicit export
extern false float for friend goto if inline int long mutable namespace new noexcept not not_eq
nullptr operator or or_eq private protected public register reinterpret_cast requires return
short signed sizeof static static_assert static_cast struct switch template this thread_local
throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while
xor xor_eq
)";

constexpr std::string_view kMacros =
    R"(
EOF NULL assert errno stderr stdin stdout
)";

// Taken from the headers of glibc 2.36: the identifiers that g++ refuses as a namespace after every
// header of POSIX, but for the variants of the mathematical functions by type. <search.h>, <aio.h>
// and <sys/mount.h> are left out: hardly any file includes them, and they own words like "leaf".
constexpr std::string_view kCLibraryNames =
    R"(
a64l abort abs accept accept4 access acct acos acosh addrinfo addseverity adjtime alarm alloca
alphasort arc4random asctime asin asinh asprintf atan atan2 atanh atexit atof atoi atol basename
bcmp bcopy bind bindresvport bindresvport6 brk bsearch btowc bzero calloc canonicalize catclose
catgets catopen cbrt ceil cfgetispeed cfgetospeed cfmakeraw cfsetispeed cfsetospeed cfsetspeed
chdir chmod chown chroot clearenv clearerr clock clone close closedir closefrom closelog cmsghdr
confstr connect copysign cos cosh creat crypt ctermid ctime cuserid daemon daylight difftime
dirent dirfd dirname div dladdr dladdr1 dlclose dlerror dlinfo dlmopen dlopen dlsym dlvsym
dprintf drand48 drem dup dup2 dup3 duplocale dysize eaccess ecvt endgrent endhostent endnetent
endnetgrent endprotoent endpwent endrpcent endservent endusershell endutxent environ erand48 erf
erfc euidaccess eventfd execl execle execlp execv execve execveat execvp execvpe exit exp exp10
exp2 expm1 fabs faccessat fallocate fchdir fchmod fchmodat fchown fchownat fclose fcloseall
fcntl fcvt fdatasync fdim fdopen fdopendir feclearexcept fedisableexcept feenableexcept fegetenv
fegetexcept fegetexceptflag fegetmode fegetround feholdexcept feof feraiseexcept ferror fesetenv
fesetexcept fesetexceptflag fesetmode fesetround fetestexcept fetestexceptflag feupdateenv
fexecve fflush ffs fgetc fgetgrent fgetpos fgetpwent fgets fgetwc fgetws fileno finite flock
flockfile floor fma fmax fmaximum fmaxmag fmemopen fmin fminimum fminmag fmod fmtmsg fnmatch
fopen fopencookie fork fpathconf fpclassify fprintf fputc fputs fputwc fputws fread free
freeaddrinfo freelocale freopen frexp fromfp fromfpx fscanf fseek fseeko fsetpos fstat fstatat
fstatvfs fsync ftell ftello ftok ftruncate ftrylockfile ftw funlockfile futimens futimes
futimesat fwide fwprintf fwrite fwscanf gaicb gamma gcvt getaddrinfo getc getchar getcpu getcwd
getdate getdelim getdirentries getdomainname getdtablesize getegid getentropy getenv geteuid
getgid getgrent getgrgid getgrnam getgrouplist getgroups gethostbyaddr gethostbyname
gethostbyname2 gethostent gethostid gethostname getipv4sourcefilter getitimer getline getloadavg
getlogin getnameinfo getnetbyaddr getnetbyname getnetent getnetgrent getopt getpagesize getpass
getpayload getpeername getpgid getpgrp getpid getppid getpriority getprotobyname
getprotobynumber getprotoent getpt getpw getpwent getpwnam getpwuid getrandom getresgid
getresuid getrlimit getrpcbyname getrpcbynumber getrpcent getrusage getservbyname getservbyport
getservent getsid getsockname getsockopt getsourcefilter getsubopt gettid gettimeofday getuid
getumask getusershell getutmp getutmpx getutxent getutxid getutxline getw getwc getwchar getwd
glob globfree gmtime grantpt group gsignal herror hostent hstrerror htonl htons hypot iconv
iface ifaddr ifconf ifmap ifreq ilogb imaxabs imaxdiv index initgroups initstate innetgr ioctl
iovec iruserok isalnum isalpha isascii isatty isblank iscanonical iscntrl isctype isdigit
iseqsig isfdtype isfinite isgraph isgreater isgreaterequal isinf isless islessequal
islessgreater islower isnan isnormal isprint ispunct issignaling isspace isunordered isupper
iswalnum iswalpha iswblank iswcntrl iswctype iswdigit iswgraph iswlower iswprint iswpunct
iswspace iswupper iswxdigit isxdigit iszero itimerspec itimerval j0 j1 jn jrand48 kill killpg
l64a labs lchmod lchown lcong48 lconv ldexp ldiv lerp lgamma linger link linkat listen llabs
lldiv llogb llrint llround localeconv localtime lockf log log10 log1p log2 logb longjmp lrand48
lrint lround lseek lstat lutimes madvise malloc mblen mbrlen mbrtowc mbsinit mbsnrtowcs
mbsrtowcs mbstowcs mbtowc memccpy memchr memcmp memcpy memfrob memmem memmove mempcpy memrchr
memset mincore mkdir mkdirat mkdtemp mkfifo mkfifoat mknod mknodat mkostemp mkostemps mkstemp
mkstemps mktemp mktime mlock mlock2 mlockall mmap mmsghdr modf mprotect mrand48 mremap msgbuf
msgctl msgget msghdr msginfo msgrcv msgsnd msync munlock munlockall munmap nan nanosleep
nearbyint netent newlocale nextafter nextdown nexttoward nextup nftw nice nrand48 ntohl ntohs
obstack open openat opendir openlog optarg opterr optind optopt osockaddr passwd pathconf pause
pclose perror pipe pipe2 poll pollfd popen pow ppoll prctl pread preadv preadv2 printf prlimit
profil protoent pselect psiginfo psignal ptsname putc putchar putenv putgrent putpwent puts
pututxline putw putwc putwchar pwrite pwritev pwritev2 qecvt qfcvt qgcvt qsort raise rand random
rawmemchr rcmd read readahead readdir readlink readlinkat readv realloc reallocarray realpath
recv recvfrom recvmmsg recvmsg regcomp regerror regexec regfree remainder remove remquo rename
renameat renameat2 revoke rewind rewinddir rexec rindex rint rlimit rmdir round roundeven rpcent
rpmatch rresvport rusage ruserok sbrk scalb scalbln scalbn scandir scandirat scanf seed48
seekdir select sembuf semctl semget seminfo semop semtimedop send sendmmsg sendmsg sendto
servent setbuf setbuffer setdomainname setegid setenv seteuid setgid setgrent setgroups
sethostent sethostid sethostname setipv4sourcefilter setitimer setjmp setlinebuf setlocale
setlogin setlogmask setnetent setnetgrent setns setpayload setpayloadsig setpgid setpgrp
setpriority setprotoent setpwent setregid setresgid setresuid setreuid setrlimit setrpcent
setservent setsid setsockopt setsourcefilter setstate settimeofday setuid setusershell setutxent
setvbuf shmat shmctl shmdt shmget shminfo shutdown sigaction sigaddset sigaltstack sigandset
sigblock sigcontext sigdelset sigemptyset sigevent sigfillset siggetmask sighold sigignore
siginterrupt sigisemptyset sigismember siglongjmp signal signalfd signbit signgam significand
sigorset sigpause sigpending sigprocmask sigqueue sigrelse sigreturn sigset sigsetmask sigstack
sigsuspend sigtimedwait sigval sigwait sigwaitinfo sin sincos sinh sleep snprintf sockaddr
sockatmark socket socketpair splice sprintf sqrt srand srand48 srandom sscanf ssignal stat
statvfs statx stpcpy stpncpy strcasecmp strcasestr strcat strchr strchrnul strcmp strcoll strcpy
strcspn strdup strerror strfmon strfromd strfromf strfroml strfry strftime strlen strncasecmp
strncat strncmp strncpy strndup strnlen strpbrk strptime strrchr strsep strsignal strspn strstr
strtod strtof strtoimax strtok strtol strtold strtoq strtoul strtoumax strtouq strverscmp
strxfrm swab swprintf swscanf symlink symlinkat sync syncfs syscall sysconf syslog system tan
tanh tcdrain tcflow tcflush tcgetattr tcgetpgrp tcgetsid tcphdr tcsendbreak tcsetattr tcsetpgrp
tee telldir tempnam termio termios tgamma tgkill time timegm timelocal times timespec timeval
timex timezone tm tmpfile tmpnam tms toascii tolower totalorder totalordermag toupper towctrans
towlower towupper trunc truncate ttyname ttyslot tzname tzset ualarm ucred ufromfp ufromfpx uint
ulimit ulong umask uname ungetc ungetwc unlink unlinkat unlockpt unsetenv unshare updwtmpx
uselocale ushort usleep utimbuf utime utimensat utimes utmp utmpx utmpxname utsname valloc
vasprintf vdprintf versionsort vfork vfprintf vfscanf vfwprintf vfwscanf vhangup vmsplice
vprintf vscanf vsnprintf vsprintf vsscanf vswprintf vswscanf vsyslog vwprintf vwscanf wait wait3
wait4 waitid waitpid wcpcpy wcpncpy wcrtomb wcscasecmp wcscat wcschr wcschrnul wcscmp wcscoll
wcscpy wcscspn wcsdup wcsftime wcslen wcsncasecmp wcsncat wcsncmp wcsncpy wcsnlen wcsnrtombs
wcspbrk wcsrchr wcsrtombs wcsspn wcsstr wcstod wcstof wcstoimax wcstok wcstol wcstold wcstombs
wcstoq wcstoul wcstoumax wcstouq wcswcs wcswidth wcsxfrm wctob wctomb wctrans wctype wcwidth
winsize wmemchr wmemcmp wmemcpy wmemmove wmempcpy wmemset wordexp wordfree wprintf write writev
wscanf y0 y1 yn
)";

bool IsSpace(char c) { return c == ' ' || c == '\n'; }

// Every word of a list stands between spaces or newlines.
bool HasWord(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    const std::string_view rest = text.substr(at + word.size());
    if (IsSpace(text[at - 1]) && IsSpace(rest.front())) return true;
  }
  return false;
}

}  // namespace

bool IsKeyword(std::string_view name) { return HasWord(kKeywords, name); }

bool IsMacro(std::string_view name) { return HasWord(kMacros, name); }

bool IsCLibraryName(std::string_view name) {
  return HasWord(kCLibraryNames, name) || IsMacro(name);
}

}  // namespace mainspring::plugin
