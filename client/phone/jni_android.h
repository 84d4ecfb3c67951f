// What android.go asks of Android. All of it may be called on any thread that is
// attached to the VM, between begin and end. Nothing here throws: what Android
// refuses is a zero.
#include <jni.h>
#include <stdint.h>

// begin opens a frame of local references, which end closes with what failed in
// between. begin returns 0 if there is no memory for it.
int phone_begin(JNIEnv *env);
void phone_end(JNIEnv *env);

// application is the app's context, for as long as its process lives.
jobject phone_application(JNIEnv *env, jobject activity);

jstring phone_string(JNIEnv *env, const uint16_t *utf16, int n);

// wifi is the handle of the Wi-Fi network, or 0. chosen tells whether it is what
// Android gives to sockets without a network.
uint64_t phone_wifi(JNIEnv *env, jobject application, int *chosen);

// prefix writes the IPv4 address of this device in the Wi-Fi network, and returns how
// many bits all devices there share; 0 if it is not known.
int phone_prefix(JNIEnv *env, jobject application, char *address, int size);

// multicast has Wi-Fi take in multicast, or ends that. One call ends all.
void phone_multicast(JNIEnv *env, jobject application, int on);

// resolve_on and bind are in Android 6 and newer; without them nothing happens.
void phone_resolve_on(uint64_t network);
void phone_bind(uint64_t network, int fd);

float phone_font_scale(JNIEnv *env, jobject application);

// still tells whether the person has turned animations off.
int phone_still(JNIEnv *env);

// asks_to_notify tells whether the permission must be asked for and is not given.
int phone_asks_to_notify(JNIEnv *env, jobject application);
void phone_ask_to_notify(JNIEnv *env, jobject activity, jstring channel);

// asks_for_network tells the same of the permission to reach local networks.
int phone_asks_for_network(JNIEnv *env, jobject application);
void phone_ask_for_network(JNIEnv *env, jobject activity);

int phone_notify(JNIEnv *env, jobject application, jstring tag, jstring title, jstring text, jstring channel, jstring link);
// phone_open starts an app that shows or plays a file, and lets it read that. It returns
// 0 if there is none.
int phone_open(JNIEnv *env, jobject activity, jstring address, jstring type);

void phone_withdraw(JNIEnv *env, jobject application, jstring tag);
