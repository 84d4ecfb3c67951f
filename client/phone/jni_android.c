#include "jni_android.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

// Android's constants.
enum {
	TRANSPORT_WIFI = 1,
	TRANSPORT_VPN = 4,
	IMPORTANCE_HIGH = 4,
	FLAG_UPDATE_CURRENT = 0x08000000,
	FLAG_IMMUTABLE = 0x04000000,
	FLAG_GRANT_READ_URI_PERMISSION = 1,
	ANDROID_8 = 26,  // has channels of notifications
	ANDROID_13 = 33, // wants a permission for them
	ANDROID_17 = 37, // wants one for local networks, of apps that are made for it
};

#define POST_NOTIFICATIONS "android.permission.POST_NOTIFICATIONS"
#define ACCESS_LOCAL_NETWORK "android.permission.ACCESS_LOCAL_NETWORK"
#define CHANNEL "messages"
#define LINK_ACTIVITY "org.parley.chat.Link" // client/android/Link.smali

// failed tells whether the last call threw, and forgets it: no other call may
// follow before.
static int failed(JNIEnv *env) {
	if (!(*env)->ExceptionCheck(env)) return 0;
	(*env)->ExceptionClear(env);
	return 1;
}

// method is 0 if the object or the method is not there, as in an older Android.
static jmethodID method(JNIEnv *env, jobject o, const char *name, const char *signature) {
	if (!o) return 0;
	jmethodID m = (*env)->GetMethodID(env, (*env)->GetObjectClass(env, o), name, signature);
	return failed(env) ? 0 : m;
}

// CALL calls a method, whose result is of a type: zero if it is not there or
// throws.
#define CALL(type, kind) \
	static type call##kind(JNIEnv *env, jobject o, const char *name, const char *signature, ...) { \
		jmethodID m = method(env, o, name, signature); \
		if (!m) return 0; \
		va_list args; \
		va_start(args, signature); \
		type result = (*env)->Call##kind##MethodV(env, o, m, args); \
		va_end(args); \
		return failed(env) ? 0 : result; \
	}
CALL(jobject, Object)
CALL(jboolean, Boolean)
CALL(jint, Int)
CALL(jlong, Long)

// callVoid returns 0 if the method is not there or throws.
static int callVoid(JNIEnv *env, jobject o, const char *name, const char *signature, ...) {
	jmethodID m = method(env, o, name, signature);
	if (!m) return 0;
	va_list args;
	va_start(args, signature);
	(*env)->CallVoidMethodV(env, o, m, args);
	va_end(args);
	return !failed(env);
}

// make makes an object of one of Android's classes.
static jobject make(JNIEnv *env, const char *class, const char *signature, ...) {
	jclass c = (*env)->FindClass(env, class);
	if (failed(env) || !c) return NULL;
	jmethodID m = (*env)->GetMethodID(env, c, "<init>", signature);
	if (failed(env) || !m) return NULL;
	va_list args;
	va_start(args, signature);
	jobject o = (*env)->NewObjectV(env, c, m, args);
	va_end(args);
	return failed(env) ? NULL : o;
}

// constant is a static int of one of Android's classes, 0 if there is none.
static jint constant(JNIEnv *env, const char *class, const char *name) {
	jclass c = (*env)->FindClass(env, class);
	if (failed(env) || !c) return 0;
	jfieldID f = (*env)->GetStaticFieldID(env, c, name, "I");
	if (failed(env) || !f) return 0;
	return (*env)->GetStaticIntField(env, c, f);
}

static jint version(JNIEnv *env) { return constant(env, "android/os/Build$VERSION", "SDK_INT"); }

// target is the version of Android that the app is made for, 0 if it does not say.
static jint target(JNIEnv *env, jobject application) {
	jobject info = callObject(env, application, "getApplicationInfo", "()Landroid/content/pm/ApplicationInfo;");
	if (!info) return 0;
	jfieldID f = (*env)->GetFieldID(env, (*env)->GetObjectClass(env, info), "targetSdkVersion", "I");
	return failed(env) ? 0 : (*env)->GetIntField(env, info, f);
}

static int mayNot(JNIEnv *env, jobject application, const char *permission) {
	return callInt(env, application, "checkSelfPermission", "(Ljava/lang/String;)I", (*env)->NewStringUTF(env, permission)) != 0;
}

static void ask(JNIEnv *env, jobject activity, const char *permission) {
	jclass string = (*env)->FindClass(env, "java/lang/String");
	if (failed(env)) return;
	jobjectArray wanted = (*env)->NewObjectArray(env, 1, string, (*env)->NewStringUTF(env, permission));
	if (failed(env)) return;
	callVoid(env, activity, "requestPermissions", "([Ljava/lang/String;I)V", wanted, 1);
}

static jobject service(JNIEnv *env, jobject context, const char *name) {
	return callObject(env, context, "getSystemService", "(Ljava/lang/String;)Ljava/lang/Object;", (*env)->NewStringUTF(env, name));
}

int phone_begin(JNIEnv *env) { return (*env)->PushLocalFrame(env, 64) == 0 || (failed(env), 0); }

void phone_end(JNIEnv *env) {
	failed(env);
	(*env)->PopLocalFrame(env, NULL);
}

jobject phone_application(JNIEnv *env, jobject activity) {
	static jobject kept; // Fyne deletes its reference to the activity whenever the app comes to the front
	if (!__atomic_load_n(&kept, __ATOMIC_ACQUIRE)) {
		jobject o = callObject(env, activity, "getApplicationContext", "()Landroid/content/Context;");
		if (!o) return activity;
		jobject none = NULL;
		o = (*env)->NewGlobalRef(env, o);
		if (!__atomic_compare_exchange_n(&kept, &none, o, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) (*env)->DeleteGlobalRef(env, o);
	}
	return __atomic_load_n(&kept, __ATOMIC_ACQUIRE);
}

jstring phone_string(JNIEnv *env, const uint16_t *utf16, int n) {
	// Not NewStringUTF: it aborts on an emoji, as JNI's UTF-8 has them in two halves.
	jstring s = (*env)->NewString(env, utf16, n);
	return failed(env) ? NULL : s;
}

// isWifi passes over a VPN, which has the transports of what it runs over.
static int isWifi(JNIEnv *env, jobject manager, jobject network) {
	jobject has = callObject(env, manager, "getNetworkCapabilities", "(Landroid/net/Network;)Landroid/net/NetworkCapabilities;", network);
	return callBoolean(env, has, "hasTransport", "(I)Z", TRANSPORT_WIFI) && !callBoolean(env, has, "hasTransport", "(I)Z", TRANSPORT_VPN);
}

// wifiOf is the Wi-Fi network, or NULL.
static jobject wifiOf(JNIEnv *env, jobject manager, int *chosen) {
	jobject active = callObject(env, manager, "getActiveNetwork", "()Landroid/net/Network;");
	if ((*chosen = active && isWifi(env, manager, active))) return active;
	jobjectArray all = callObject(env, manager, "getAllNetworks", "()[Landroid/net/Network;");
	jsize n = all ? (*env)->GetArrayLength(env, all) : 0;
	for (jsize i = 0; i < n; i++) {
		jobject network = (*env)->GetObjectArrayElement(env, all, i);
		if (failed(env)) return NULL;
		if (isWifi(env, manager, network)) return network;
		(*env)->DeleteLocalRef(env, network);
	}
	return NULL;
}

uint64_t phone_wifi(JNIEnv *env, jobject application, int *chosen) {
	jobject network = wifiOf(env, service(env, application, "connectivity"), chosen);
	return callLong(env, network, "getNetworkHandle", "()J");
}

int phone_prefix(JNIEnv *env, jobject application, char *address, int size) {
	int chosen;
	jobject manager = service(env, application, "connectivity");
	jobject link = callObject(env, manager, "getLinkProperties", "(Landroid/net/Network;)Landroid/net/LinkProperties;", wifiOf(env, manager, &chosen));
	jobject all = callObject(env, link, "getLinkAddresses", "()Ljava/util/List;");
	jint n = callInt(env, all, "size", "()I");
	for (jint i = 0; i < n && i < 16; i++) { // of which some are IPv6
		jobject one = callObject(env, all, "get", "(I)Ljava/lang/Object;", i);
		jstring text = callObject(env, callObject(env, one, "getAddress", "()Ljava/net/InetAddress;"), "getHostAddress", "()Ljava/lang/String;");
		const char *s = text ? (*env)->GetStringUTFChars(env, text, NULL) : NULL;
		if (!s) continue;
		int length = 0, fits = 1;
		for (; s[length]; length++) fits = fits && s[length] != ':' && length < size - 1;
		if (fits) memcpy(address, s, length + 1);
		(*env)->ReleaseStringUTFChars(env, text, s);
		if (fits) return callInt(env, one, "getPrefixLength", "()I");
	}
	return 0;
}

void phone_multicast(JNIEnv *env, jobject application, int on) {
	static jobject kept; // the lock; calls come from one thread at a time
	if (!kept) {
		jobject manager = service(env, application, "wifi");
		jobject lock = callObject(env, manager, "createMulticastLock", "(Ljava/lang/String;)Landroid/net/wifi/WifiManager$MulticastLock;", (*env)->NewStringUTF(env, "parley"));
		if (!lock || !(kept = (*env)->NewGlobalRef(env, lock))) return;
		callVoid(env, kept, "setReferenceCounted", "(Z)V", JNI_FALSE);
	}
	callVoid(env, kept, on ? "acquire" : "release", "()V");
}

// ndk is a function of Android 6 and newer, or NULL.
static void *ndk(const char *name) {
	static void *library;
	if (!library) library = dlopen("libandroid.so", RTLD_NOW); // the app is linked with it: it stays
	return library ? dlsym(library, name) : NULL;
}

void phone_resolve_on(uint64_t network) {
	int (*set)(uint64_t) = (int (*)(uint64_t))ndk("android_setprocnetwork");
	if (set && set(network) && network) set(0);
}

void phone_bind(uint64_t network, int fd) {
	int (*set)(uint64_t, int) = (int (*)(uint64_t, int))ndk("android_setsocknetwork");
	if (set) set(network, fd);
}

float phone_font_scale(JNIEnv *env, jobject application) {
	jobject resources = callObject(env, application, "getResources", "()Landroid/content/res/Resources;");
	jobject configuration = callObject(env, resources, "getConfiguration", "()Landroid/content/res/Configuration;");
	if (!configuration) return 0;
	jfieldID f = (*env)->GetFieldID(env, (*env)->GetObjectClass(env, configuration), "fontScale", "F");
	return failed(env) ? 0 : (*env)->GetFloatField(env, configuration, f);
}

int phone_still(JNIEnv *env) {
	jclass animator = (*env)->FindClass(env, "android/animation/ValueAnimator");
	if (failed(env) || !animator) return 0;
	jmethodID enabled = (*env)->GetStaticMethodID(env, animator, "areAnimatorsEnabled", "()Z"); // Android 8
	if (failed(env) || !enabled) return 0;
	jboolean on = (*env)->CallStaticBooleanMethod(env, animator, enabled);
	return !failed(env) && !on;
}

int phone_asks_to_notify(JNIEnv *env, jobject application) {
	return version(env) >= ANDROID_13 && mayNot(env, application, POST_NOTIFICATIONS);
}

int phone_asks_for_network(JNIEnv *env, jobject application) {
	return version(env) >= ANDROID_17 && target(env, application) >= ANDROID_17 && mayNot(env, application, ACCESS_LOCAL_NETWORK);
}

void phone_ask_for_network(JNIEnv *env, jobject activity) { ask(env, activity, ACCESS_LOCAL_NETWORK); }

// makeChannel makes the channel of the app's notifications, or names it anew.
static void makeChannel(JNIEnv *env, jobject manager, jstring name) {
	callVoid(env, manager, "createNotificationChannel", "(Landroid/app/NotificationChannel;)V",
		make(env, "android/app/NotificationChannel", "(Ljava/lang/String;Ljava/lang/CharSequence;I)V",
			(*env)->NewStringUTF(env, CHANNEL), name, IMPORTANCE_HIGH));
}

void phone_ask_to_notify(JNIEnv *env, jobject activity, jstring channel) {
	// Of an app made for an older Android than 13, Android asks by itself, when
	// the app makes its first channel; of others, when they want the permission.
	makeChannel(env, service(env, activity, "notification"), channel);
	ask(env, activity, POST_NOTIFICATIONS);
}

// uri is an address as Android has it; NULL if it is none.
static jobject uri(JNIEnv *env, jstring address) {
	jclass c = (*env)->FindClass(env, "android/net/Uri");
	if (failed(env) || !c) return NULL;
	jmethodID parse = (*env)->GetStaticMethodID(env, c, "parse", "(Ljava/lang/String;)Landroid/net/Uri;");
	if (failed(env) || !parse) return NULL;
	jobject o = (*env)->CallStaticObjectMethod(env, c, parse, address);
	return failed(env) ? NULL : o;
}

// opensApp is an intent that brings the app to the front, with a link for it if the app
// has the activity that takes one.
static jobject opensApp(JNIEnv *env, jobject application, jstring link) {
	jobject packages = callObject(env, application, "getPackageManager", "()Landroid/content/pm/PackageManager;");
	jobject name = callObject(env, application, "getPackageName", "()Ljava/lang/String;");
	jobject intent = make(env, "android/content/Intent", "(Ljava/lang/String;Landroid/net/Uri;)V",
		(*env)->NewStringUTF(env, "android.intent.action.VIEW"), uri(env, link));
	callObject(env, intent, "setClassName", "(Ljava/lang/String;Ljava/lang/String;)Landroid/content/Intent;", name,
		(*env)->NewStringUTF(env, LINK_ACTIVITY));
	if (!callObject(env, packages, "resolveActivity", "(Landroid/content/Intent;I)Landroid/content/pm/ResolveInfo;", intent, 0))
		intent = callObject(env, packages, "getLaunchIntentForPackage", "(Ljava/lang/String;)Landroid/content/Intent;", name);
	jclass pending = (*env)->FindClass(env, "android/app/PendingIntent");
	if (failed(env) || !intent) return NULL;
	jmethodID get = (*env)->GetStaticMethodID(env, pending, "getActivity",
		"(Landroid/content/Context;ILandroid/content/Intent;I)Landroid/app/PendingIntent;");
	if (failed(env)) return NULL;
	jobject o = (*env)->CallStaticObjectMethod(env, pending, get, application, 0, intent, FLAG_UPDATE_CURRENT | FLAG_IMMUTABLE);
	return failed(env) ? NULL : o;
}

int phone_notify(JNIEnv *env, jobject application, jstring tag, jstring title, jstring text, jstring channel, jstring link) {
	jobject manager = service(env, application, "notification");
	jobject builder = make(env, "android/app/Notification$Builder", "(Landroid/content/Context;)V", application);
	if (!manager || !builder) return 0;
#define BUILDER ")Landroid/app/Notification$Builder;"
	if (version(env) >= ANDROID_8) {
		makeChannel(env, manager, channel);
		callObject(env, builder, "setChannelId", "(Ljava/lang/String;" BUILDER, (*env)->NewStringUTF(env, CHANNEL));
	}
	callObject(env, builder, "setSmallIcon", "(I" BUILDER, constant(env, "android/R$drawable", "stat_notify_chat"));
	callObject(env, builder, "setContentTitle", "(Ljava/lang/CharSequence;" BUILDER, title);
	callObject(env, builder, "setContentText", "(Ljava/lang/CharSequence;" BUILDER, text);
	callObject(env, builder, "setAutoCancel", "(Z" BUILDER, JNI_TRUE);
	callObject(env, builder, "setContentIntent", "(Landroid/app/PendingIntent;" BUILDER, opensApp(env, application, link));
	jobject notification = callObject(env, builder, "build", "()Landroid/app/Notification;");
	return notification && callVoid(env, manager, "notify", "(Ljava/lang/String;ILandroid/app/Notification;)V", tag, 0, notification);
}

void phone_withdraw(JNIEnv *env, jobject application, jstring tag) {
	callVoid(env, service(env, application, "notification"), "cancel", "(Ljava/lang/String;I)V", tag, 0);
}

int phone_open(JNIEnv *env, jobject activity, jstring address, jstring type) {
	jobject at = uri(env, address);
	if (!at) return 0;
	jobject intent = make(env, "android/content/Intent", "(Ljava/lang/String;)V", (*env)->NewStringUTF(env, "android.intent.action.VIEW"));
	callObject(env, intent, "setDataAndType", "(Landroid/net/Uri;Ljava/lang/String;)Landroid/content/Intent;", at, type);
	callObject(env, intent, "addFlags", "(I)Landroid/content/Intent;", FLAG_GRANT_READ_URI_PERMISSION);
	return callVoid(env, activity, "startActivity", "(Landroid/content/Intent;)V", intent);
}
