// The phone's networks: mobile data, which Android prefers, and a Wi-Fi network
// without Internet, where the server is. The app's sockets go where the app puts
// them by android_setsocknetwork, its look-ups by android_setprocnetwork.
//
// Go connects by system calls of its own, past the C library. So the kernel hands
// each one to the host (seccomp(2)), which says it on a line and lets it go on or
// not. This file is Android's libandroid.so, as far as it is looked up by name.
#include "host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

uint64_t wifi = 101;
uint64_t lookups; // the network of the process; libc.c looks names up there

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct { uint64_t socket, network; int fd; } bound[4096]; // more than a test opens
static int nBound;

// cookie is what the kernel knows a socket by, as long as it lives.
static uint64_t cookie(int fd) {
	uint64_t c = 0;
	socklen_t n = sizeof c;
	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &c, &n) ? 0 : c;
}

int android_setprocnetwork(uint64_t network) {
	if (network && network != wifi) return errno = ENONET, -1;
	lookups = network;
	return 0;
}

int android_setsocknetwork(uint64_t network, int fd) {
	if (network != wifi) return errno = ENONET, -1;
	pthread_mutex_lock(&mutex);
	if (nBound == sizeof bound / sizeof *bound) fail("too many sockets");
	bound[nBound].socket = cookie(fd), bound[nBound].network = network, bound[nBound++].fd = fd;
	pthread_mutex_unlock(&mutex);
	return 0;
}

static uint64_t networkOf(int fd) {
	uint64_t socket = cookie(fd), network = 0;
	pthread_mutex_lock(&mutex);
	for (int i = 0; i < nBound; i++) if (bound[i].socket == socket) network = bound[i].network;
	pthread_mutex_unlock(&mutex);
	return network;
}

// setWifi takes the Wi-Fi network away, with the connections on it, and brings
// another one unless that is 0.
void setWifi(uint64_t network) {
	wifi = network;
	pthread_mutex_lock(&mutex);
	for (int i = 0; i < nBound; i++)
		if (bound[i].network != wifi && cookie(bound[i].fd) == bound[i].socket) shutdown(bound[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&mutex);
}

// sent says a packet, which goes nowhere: the phone's networks are none of this machine.
static void sent(int fd, const struct sockaddr *to) {
	char address[INET_ADDRSTRLEN];
	const struct sockaddr_in *v4 = (const void *)to;
	if (to->sa_family != AF_INET) fail("the app sends a packet that is no IPv4");
	inet_ntop(AF_INET, &v4->sin_addr, address, sizeof address);
	uint64_t network = networkOf(fd);
	if (network) say("send %s %d by wifi %lu", address, ntohs(v4->sin_port), network);
	else say("send %s %d by mobile data", address, ntohs(v4->sin_port));
}

// connectable says a connection and returns what keeps it from being made: the
// server is on this machine, and only Wi-Fi leads there.
static int connectable(int fd, const struct sockaddr *to) {
	char address[INET6_ADDRSTRLEN];
	const struct sockaddr_in *v4 = (const void *)to;
	const struct sockaddr_in6 *v6 = (const void *)to;
	if (to->sa_family == AF_INET) inet_ntop(AF_INET, &v4->sin_addr, address, sizeof address);
	else if (to->sa_family == AF_INET6) inet_ntop(AF_INET6, &v6->sin6_addr, address, sizeof address);
	else return 0; // an X server's
	uint64_t network = networkOf(fd);
	if (network) say("connect %s %d by wifi %lu", address, ntohs(v4->sin_port), network);
	else say("connect %s %d by mobile data", address, ntohs(v4->sin_port));
	return network && network == wifi && !strncmp(address, "127.", 4) ? 0 : -ENETUNREACH;
}

static void *watch(void *listener) {
	for (;;) {
		struct seccomp_notif call = {0};
		if (ioctl((long)listener, SECCOMP_IOCTL_NOTIF_RECV, &call)) continue; // the thread has ended meanwhile
		struct seccomp_notif_resp answer = {.id = call.id};
		if (call.data.nr == SYS_sendto) {
			sent(call.data.args[0], (const struct sockaddr *)call.data.args[4]);
			answer.val = call.data.args[2];
		} else {
			answer.error = connectable(call.data.args[0], (const struct sockaddr *)call.data.args[1]);
			if (!answer.error) answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		}
		ioctl((long)listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
	return NULL;
}

// watchSockets has every later thread's connections go by watch, and its packets that
// have an address of their own.
void watchSockets(void) {
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4]) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	// Go's signals shall not have a connection asked about twice; before Linux 5.19 they do.
	long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | 1 << 5 /* WAIT_KILLABLE_RECV */, &program);
	if (listener < 0) listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	pthread_t thread;
	if (listener < 0 || pthread_create(&thread, NULL, watch, (void *)listener)) fail("the kernel does not show connections: %s", strerror(errno));
}
