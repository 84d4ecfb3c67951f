// Stands in for Android's libc.so on x86-64: the functions whose ABI is not
// glibc's. Linked with --default-symver, so that they serve the app alone, whose
// symbols have no version; the host, Mesa and glibc keep glibc's.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int *__errno(void) { return __errno_location(); }

// stdin, stdout and stderr. Only Go's last words and OpenGL's errors go there.
char __sF[456];
int vfprintf(FILE *f, const char *format, va_list args) { return vdprintf(2, format, args); }
int fprintf(FILE *f, const char *format, ...) {
	va_list args;
	va_start(args, format);
	return vdprintf(2, format, args);
}
size_t fwrite(const void *data, size_t size, size_t n, FILE *f) { return dprintf(2, "%.*s", (int)(size * n), (const char *)data); }
int fputc(int c, FILE *f) { return dprintf(2, "%c", c); }

// A sigset_t has 64 bits, not 1024, and sigaction its flags first.
typedef uint64_t bits;
struct action { int flags; void *handler; bits mask; void *restorer; };
#define REAL(function) __typeof__(&function) real = (__typeof__(&function))dlsym(RTLD_NEXT, #function)

int sigemptyset(sigset_t *s) { return *(bits *)s = 0; }
int sigfillset(sigset_t *s) { return *(bits *)s = ~(bits)0, 0; }
int sigaddset(sigset_t *s, int n) { return *(bits *)s |= (bits)1 << (n - 1), 0; }
int sigismember(const sigset_t *s, int n) { return *(const bits *)s >> (n - 1) & 1; }

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
	REAL(pthread_sigmask);
	sigset_t in = {0}, before;
	if (set) memcpy(&in, set, sizeof(bits));
	int err = real(how, set ? &in : NULL, &before);
	if (old) memcpy(old, &before, sizeof(bits));
	return err;
}

int sigaction(int n, const struct sigaction *set, struct sigaction *old) {
	REAL(sigaction);
	const struct action *a = (const void *)set;
	struct sigaction in = {0}, before;
	if (a) in.sa_flags = a->flags, in.sa_sigaction = a->handler, memcpy(&in.sa_mask, &a->mask, sizeof(bits));
	int err = real(n, a ? &in : NULL, &before);
	if (old && !err) *(struct action *)old = (struct action){before.sa_flags, before.sa_sigaction, *(bits *)&before.sa_mask, NULL};
	return err;
}

// The Wi-Fi network knows one name, the server's; mobile data doesn't.
struct addrinfo { // bionic's: the name comes before the address
	int flags, family, type, protocol;
	uint32_t length;
	char *name;
	struct sockaddr_in *address;
	struct addrinfo *next;
};
extern uint64_t wifi, lookups; // network.c
extern int out;

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
	static struct sockaddr_in here = {.sin_family = AF_INET};
	static struct addrinfo found = {.family = AF_INET, .type = SOCK_STREAM, .length = sizeof here, .address = &here};
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	dprintf(out, "lookup %s by %s\n", name, lookups ? "wifi" : "mobile data");
	if (!lookups || lookups != wifi || strcmp(name, "server.home.arpa")) return 8; // EAI_NONAME
	*result = &found;
	return 0;
}
void freeaddrinfo(struct addrinfo *a) {}
int getnameinfo() { return 8; }
int res_search() { return -1; }
const char *gai_strerror() { return "no such name"; }
