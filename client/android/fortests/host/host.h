// What the parts of the host share. The main thread is Android's UI thread.
#include <android/native_activity.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern int out;                    // to the program that drives the host
extern int width, height, density; // of the screen, in pixels and pixels an inch
extern const char *files;          // the app's folder
extern float fontScale;            // of Android's settings
extern int version, target;        // of Android, and that which the app is made for
extern int mayNotify;              // the permission: 1 given, 0 not asked for, -1 refused

#define say(format, ...) dprintf(out, format "\n", ##__VA_ARGS__)
// fail ends the host: the app wants something that Android has and it has not.
#define fail(...) (say(__VA_ARGS__), _exit(1))

void touch(int action, int x, int y); // android.c

// network.c
extern uint64_t wifi; // the handle of the Wi-Fi network; 0 without one
void watchSockets(void);
void setWifi(uint64_t network);

#define CONTENT "content://phone" // of the addresses of files

// java.c. An object is its text, whatever its class.
extern JNIEnv java;
extern JavaVM vm;
extern int keyboardUp; // what GoNativeActivity takes the keyboard for
extern int posts[2];   // what the UI thread shall do: 'k' show the keyboard, 'h' hide it, 'f' say that the activity ends
