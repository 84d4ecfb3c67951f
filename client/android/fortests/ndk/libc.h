// The part of Android's C library that Go's runtime, its resolver and Fyne's
// Android driver use, as API level 21 has it. Everything else is missing on
// purpose: a build that needs more fails, instead of taking another C library's
// idea of a struct or a constant. All of the C library's headers are this one.
#ifndef PARLEY_LIBC_H
#define PARLEY_LIBC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define __BIONIC__ 1
#define __ANDROID_API__ 21
#ifdef __cplusplus
#define __BEGIN_DECLS extern "C" {
#define __END_DECLS }
#else
#define __BEGIN_DECLS
#define __END_DECLS
#endif
// What Android's own headers say of the API level that a function came with.
#define __INTRODUCED_IN(level)
#define __RENAME_IF_FILE_OFFSET64(name)

__BEGIN_DECLS

// sys/types.h
typedef long ssize_t;
typedef long off_t;
typedef long long off64_t;
typedef long time_t;
typedef uint32_t uid_t;
typedef uint32_t gid_t;
typedef uint32_t nlink_t;
typedef unsigned long ino_t;
#ifdef __LP64__
typedef uint64_t dev_t;
typedef uint32_t mode_t;
typedef uint32_t socklen_t;
#else
typedef uint32_t dev_t;
typedef uint16_t mode_t;
typedef int32_t socklen_t;
#endif

// errno.h
int *__errno(void);
#define errno (*__errno())
#define EAGAIN 11

// stdlib.h
void *malloc(size_t);
void free(void *);
void abort(void) __attribute__((noreturn));
void exit(int) __attribute__((noreturn));
char *getenv(const char *);
int setenv(const char *, const char *, int);
int unsetenv(const char *);
int clearenv(void);

// string.h
void *memcpy(void *, const void *, size_t);
void *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);
char *strcat(char *, const char *);
int strcmp(const char *, const char *);
char *strcpy(char *, const char *);
char *strdup(const char *);
char *strerror(int);
size_t strlen(const char *);

// stdio.h
#ifdef __LP64__
typedef struct { void *opaque[19]; } FILE;
#else
typedef struct { void *opaque[21]; } FILE;
#endif
extern FILE __sF[3]; // stdin, stdout, stderr
#define stderr (&__sF[2])
int fprintf(FILE *, const char *, ...) __attribute__((format(printf, 2, 3)));
int vfprintf(FILE *, const char *, va_list) __attribute__((format(printf, 2, 0)));
int printf(const char *, ...) __attribute__((format(printf, 1, 2)));
int remove(const char *);

// time.h
struct timespec {
	time_t tv_sec;
	long tv_nsec;
};
struct tm {
	int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
	long tm_gmtoff;
	const char *tm_zone;
};
time_t time(time_t *);
struct tm *localtime_r(const time_t *, struct tm *);
int nanosleep(const struct timespec *, struct timespec *);

// pthread.h
typedef long pthread_t;
typedef int pthread_key_t;
typedef struct {
	uint32_t flags;
	void *stack_base;
	size_t stack_size, guard_size;
	int32_t sched_policy, sched_priority;
#ifdef __LP64__
	char reserved[16];
#endif
} pthread_attr_t;
#ifdef __LP64__
typedef struct { int32_t opaque[10]; } pthread_mutex_t;
typedef struct { int32_t opaque[12]; } pthread_cond_t;
#else
typedef struct { int32_t opaque[1]; } pthread_mutex_t;
typedef struct { int32_t opaque[1]; } pthread_cond_t;
#endif
#define PTHREAD_MUTEX_INITIALIZER {{0}}
#define PTHREAD_COND_INITIALIZER {{0}}
#define PTHREAD_CREATE_DETACHED 1
int pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
pthread_t pthread_self(void);
int pthread_attr_init(pthread_attr_t *);
int pthread_attr_destroy(pthread_attr_t *);
int pthread_attr_setdetachstate(pthread_attr_t *, int);
int pthread_attr_getstack(const pthread_attr_t *, void **, size_t *);
int pthread_attr_getstacksize(const pthread_attr_t *, size_t *);
int pthread_getattr_np(pthread_t, pthread_attr_t *);
int pthread_mutex_lock(pthread_mutex_t *);
int pthread_mutex_unlock(pthread_mutex_t *);
int pthread_cond_wait(pthread_cond_t *, pthread_mutex_t *);
int pthread_cond_broadcast(pthread_cond_t *);
int pthread_key_create(pthread_key_t *, void (*)(void *));
int pthread_setspecific(pthread_key_t, const void *);

// signal.h
typedef struct siginfo siginfo_t;
typedef struct { unsigned long bits; } sigset_t;
#define SIG_SETMASK 2
#define SA_SIGINFO 4
struct sigaction {
#ifdef __LP64__
	int sa_flags;
#endif
	union {
		void (*sa_handler)(int);
		void (*sa_sigaction)(int, siginfo_t *, void *);
	};
	sigset_t sa_mask;
#ifndef __LP64__
	int sa_flags;
#endif
	void (*sa_restorer)(void);
};
int sigaction(int, const struct sigaction *, struct sigaction *);
int sigaddset(sigset_t *, int);
int sigemptyset(sigset_t *);
int sigfillset(sigset_t *);
int sigismember(const sigset_t *, int);
int pthread_sigmask(int, const sigset_t *, sigset_t *);

// dlfcn.h
#define RTLD_LAZY 1
#ifdef __LP64__
#define RTLD_NOW 2
#define RTLD_DEFAULT ((void *)0)
#else
#define RTLD_NOW 0
#define RTLD_DEFAULT ((void *)0xffffffff)
#endif
void *dlopen(const char *, int);
void *dlsym(void *, const char *);
int dlclose(void *);

// unistd.h and grp.h
int setegid(gid_t);
int seteuid(uid_t);
int setgid(gid_t);
int setgroups(size_t, const gid_t *);
int setregid(gid_t, gid_t);
int setresgid(gid_t, gid_t, gid_t);
int setresuid(uid_t, uid_t, uid_t);
int setreuid(uid_t, uid_t);
int setuid(uid_t);

// sys/mman.h
#define MAP_FAILED ((void *)-1)
void *mmap(void *, size_t, int, int, int, off_t);
int munmap(void *, size_t);

// sys/stat.h: the kernel's struct, which is another one on each architecture
struct stat {
#if defined(__x86_64__)
	dev_t st_dev;
	ino_t st_ino;
	uint64_t st_nlink;
	mode_t st_mode;
	uid_t st_uid;
	gid_t st_gid;
	uint32_t pad0;
	dev_t st_rdev;
	off_t st_size;
	long st_blksize, st_blocks;
	struct timespec st_atim, st_mtim, st_ctim;
	long pad1[3];
#elif defined(__LP64__)
	dev_t st_dev;
	ino_t st_ino;
	mode_t st_mode;
	nlink_t st_nlink;
	uid_t st_uid;
	gid_t st_gid;
	dev_t st_rdev;
	unsigned long pad0;
	off_t st_size;
	int st_blksize, pad1;
	long st_blocks;
	struct timespec st_atim, st_mtim, st_ctim;
	uint32_t pad2[2];
#else
	unsigned long long st_dev;
	unsigned char pad0[4];
	unsigned long st_ino_low;
	unsigned int st_mode;
	nlink_t st_nlink;
	uid_t st_uid;
	gid_t st_gid;
	unsigned long long st_rdev;
	unsigned char pad1[4];
	long long st_size;
	unsigned long st_blksize;
	unsigned long long st_blocks;
	struct timespec st_atim, st_mtim, st_ctim;
	unsigned long long st_ino;
#endif
};
#define S_IRWXU 0700
#define S_ISDIR(mode) (((mode) & 0170000) == 0040000)
int mkdir(const char *, mode_t);
int stat(const char *, struct stat *);

// dirent.h
typedef struct DIR DIR;
struct dirent {
	uint64_t d_ino;
	int64_t d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[256];
};
DIR *opendir(const char *);
struct dirent *readdir(DIR *);

// sys/socket.h, netinet/in.h, netdb.h, arpa/nameser.h and resolv.h
#define AF_UNSPEC 0
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define AI_CANONNAME 2
#define NI_NAMEREQD 4
#define EAI_ADDRFAMILY 1
#define EAI_AGAIN 2
#define EAI_NODATA 7
#define EAI_NONAME 8
#define EAI_SERVICE 9
#define EAI_SYSTEM 11
#define EAI_OVERFLOW 14
struct sockaddr {
	uint16_t sa_family;
	char sa_data[14];
};
struct addrinfo {
	int ai_flags, ai_family, ai_socktype, ai_protocol;
	socklen_t ai_addrlen;
	char *ai_canonname; // before ai_addr, as in BSD
	struct sockaddr *ai_addr;
	struct addrinfo *ai_next;
};
int getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
void freeaddrinfo(struct addrinfo *);
const char *gai_strerror(int);
int getnameinfo(const struct sockaddr *, socklen_t, char *, size_t, char *, size_t, int);
int res_search(const char *, int, int, unsigned char *, int);

__END_DECLS

#endif
