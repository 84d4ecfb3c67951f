// The Java side: a JNI table, and what Fyne's GoNativeActivity and the parts of
// Android behind it answer. Classes, methods and fields are their names.
#include "host.h"

#include <fcntl.h>

int keyboardUp, posts[2], mayNotify, version, target;
static const char *clipboard, *title, *text, *address;
static long post(char what) { return write(posts[1], &what, 1) - 1; }

// openFile opens the file of a content address. A stream is the number of its file.
static long openFile(const char *uri, int flags) {
	char *stream;
	if (strncmp(uri, CONTENT, strlen(CONTENT))) fail("the app opens %s", uri);
	int file = open(uri + strlen(CONTENT), flags, 0600);
	return file < 0 || asprintf(&stream, "%d", file) < 0 ? 0 : (long)stream;
}

// transfer reads or writes a part of an array of bytes. Java's end of a file is -1.
static long transfer(const char *stream, int writes, va_list args) {
	char *data = va_arg(args, char *) + va_arg(args, int);
	int size = va_arg(args, int), n = writes ? write(atoi(stream), data, size) : read(atoi(stream), data, size);
	if (n < 0 || (writes && n < size)) fail("a file can't be %s", writes ? "written" : "read");
	return n ? n : -1;
}

// callV is every method, static or not. Its result serves for an int, too.
static long callV(JNIEnv *env, const char *object, const char *method, va_list args) {
#define IS(name) (!strcmp(method, name))
#define ARGUMENT va_arg(args, const char *)
	// GoNativeActivity
	if (IS("showKeyboard") || IS("hideKeyboard")) {
		keyboardUp = IS("showKeyboard");
		return post(keyboardUp ? 'k' : 'h');
	}
	if (IS("finishActivity")) return post('f');
	if (IS("getFilesDir")) return (long)files;
	if (IS("getTmpdir")) return (long)"/tmp";
	if (IS("getAbsolutePath") || IS("toString")) return (long)object;
	if (IS("getApplicationContext")) return (long)"application";
	// the clipboard
	if (IS("getSystemService")) return (long)ARGUMENT;
	if (IS("setText")) return say("clipboard %s", clipboard = ARGUMENT);
	if (IS("getText")) return (long)clipboard;
	// files
	if (IS("showFileOpen")) return say("picks %s", ARGUMENT);
	if (IS("showFileSave")) return text = ARGUMENT, say("saves %s as %s", ARGUMENT, text);
	if (IS("getContentResolver")) return (long)"resolver";
	if (IS("parse")) return (long)(address = ARGUMENT);
	if (IS("openInputStream")) return openFile(ARGUMENT, O_RDONLY);
	if (IS("openOutputStream")) return openFile(ARGUMENT, O_WRONLY | O_CREAT | O_TRUNC);
	if (IS("read") || IS("write")) return transfer(object, IS("write"), args);
	if (IS("close")) return close(atoi(object));
	if (IS("query")) return (long)ARGUMENT;
	if (IS("moveToFirst")) return 1;
	if (IS("setDataAndType")) return title = ARGUMENT, text = ARGUMENT, (long)object;
	if (IS("addFlags")) return (long)object;
	if (IS("startActivity")) return say("opens %s as %s", title, text);
	if (IS("getString")) return (long)(strrchr(object, '/') + 1);
	// the networks
	if (IS("getActiveNetwork")) return (long)"mobile data";
	if (IS("getAllNetworks")) return (long)"networks";
	if (IS("getNetworkCapabilities")) return (long)ARGUMENT;
	if (IS("hasTransport")) return va_arg(args, int) == 1 /* TRANSPORT_WIFI */ && !strcmp(object, "wifi") && wifi;
	if (IS("getNetworkHandle")) return wifi;
	if (IS("getLinkProperties") || IS("getLinkAddresses")) return (long)"addresses";
	if (IS("size")) return 2;
	if (IS("get") && !strcmp(object, "addresses")) return (long)(va_arg(args, int) ? "192.168.77.20" : "fe80::20%wlan0");
	if (IS("getAddress") || IS("getHostAddress")) return (long)object;
	if (IS("getPrefixLength")) return 24; // asked for of the IPv4 address alone
	if (IS("createMulticastLock")) return (long)"multicast";
	if (IS("setReferenceCounted")) return 0;
	if (IS("acquire") || IS("release")) return say("%s %s", object, IS("acquire") ? "on" : "off");
	// notifications
	if (IS("checkSelfPermission")) return !strcmp(ARGUMENT, "android.permission.POST_NOTIFICATIONS") && mayNotify == 1 ? 0 : -1;
	if (IS("requestPermissions")) return say("asks %s", ARGUMENT);
	if (IS("getApplicationInfo")) return (long)object;
	if (IS("getPackageManager") || IS("getPackageName") || IS("getLaunchIntentForPackage")) return (long)object;
	if (IS("getActivity")) return (long)"intent";
	if (IS("setContentTitle")) return title = ARGUMENT, (long)object;
	if (IS("setContentText")) return text = ARGUMENT, (long)object;
	if (IS("setChannelId") || IS("setSmallIcon") || IS("setAutoCancel") || IS("build")) return (long)object;
	if (IS("setClassName") || IS("resolveActivity")) return (long)object;
	if (IS("setContentIntent")) return say("a tap opens %s", address), (long)object;
	if (IS("createNotificationChannel")) return 0;
	if (IS("notify")) return say("notification %s: %s: %s", ARGUMENT, title, text);
	if (IS("cancel")) return say("withdrawn %s", ARGUMENT);
	// the language and the size of text
	if (IS("getResources") || IS("getConfiguration") || IS("getLocales") || IS("get")) return (long)object;
	if (IS("toLanguageTag") || IS("toLanguageTags")) return (long)"en-US";
	// whether things move
	if (IS("areAnimatorsEnabled")) return 1;
	fail("the app calls %s", method);
}

static long call(JNIEnv *env, const char *object, const char *method, ...) {
	va_list args;
	va_start(args, method);
	return callV(env, object, method, args);
}

static const char *member(JNIEnv *env, jclass class, const char *name, const char *signature) { return strdup(name); }
static const char *copy(JNIEnv *env, const char *text) { return strdup(text); }
static const char *characters(JNIEnv *env, const char *text, jboolean *copied) { return text; }
static const char *same(JNIEnv *env, const char *object) { return object; }
static const char *construct(JNIEnv *env, const char *class, const char *method, ...) { return class; }
static long nothing(JNIEnv *env) { return 0; }
static void absent(void) { fail("the app uses a part of JNI that the host has not"); }

static jint staticInt(JNIEnv *env, jclass class, const char *field) {
	if (!strcmp(field, "stat_notify_chat")) return 1;
	if (strcmp(field, "SDK_INT")) fail("the app reads %s", field);
	return version;
}

static jint intOf(JNIEnv *env, jobject object, const char *field) {
	if (strcmp(field, "targetSdkVersion")) fail("the app reads %s", field);
	return target;
}

static jfloat floatOf(JNIEnv *env, jobject object, const char *field) {
	if (strcmp(field, "fontScale")) fail("the app reads %s", field);
	return fontScale;
}

// A string in UTF-16, which may hold characters of two units.
static const char *string(JNIEnv *env, const jchar *units, jsize n) {
	char *s = malloc(3 * n + 1), *end = s;
	for (jsize i = 0; i < n; i++) {
		unsigned c = units[i];
		if (c >= 0xd800 && c < 0xdc00 && i + 1 < n) c = 0x10000 + ((c - 0xd800) << 10) + (units[++i] - 0xdc00);
		if (c < 0x80) *end++ = c;
		else if (c < 0x800) *end++ = 0xc0 | c >> 6, *end++ = 0x80 | (c & 63);
		else if (c < 0x10000) *end++ = 0xe0 | c >> 12, *end++ = 0x80 | (c >> 6 & 63), *end++ = 0x80 | (c & 63);
		else *end++ = 0xf0 | c >> 18, *end++ = 0x80 | (c >> 12 & 63), *end++ = 0x80 | (c >> 6 & 63), *end++ = 0x80 | (c & 63);
	}
	return *end = 0, s;
}

// The one array that the app reads is of the networks; the one that it makes has
// one element, and is that.
static jsize length(JNIEnv *env, jobject array) { return wifi ? 2 : 1; }
static const char *element(JNIEnv *env, jobject array, jsize i) { return i ? "wifi" : "mobile data"; }
static const char *arrayOf(JNIEnv *env, jsize n, jclass class, const char *element) { return element; }

static jbyte *bytes(JNIEnv *env, jsize n) { return malloc(n); }
static void fromBytes(JNIEnv *env, jbyte *array, jsize from, jsize n, jbyte *to) { memcpy(to, array + from, n); }
static void toBytes(JNIEnv *env, jbyte *array, jsize from, jsize n, const jbyte *data) { memcpy(array + from, data, n); }

static jint environment(JavaVM *v, void **env, jint version) { return *env = &java, JNI_OK; }

static struct JNINativeInterface functions;
static const struct JNIInvokeInterface invocation = {.GetEnv = environment};
JNIEnv java = &functions;
JavaVM vm = &invocation;

__attribute__((constructor)) static void fill(void) {
	for (size_t i = 0; i < sizeof functions / sizeof(void *); i++) ((void **)&functions)[i] = absent;
#define SET(name, function) functions.name = (void *)function
	SET(FindClass, copy), SET(NewStringUTF, copy), SET(GetStringUTFChars, characters);
	SET(GetObjectClass, same), SET(NewGlobalRef, same), SET(NewObject, construct);
	SET(GetMethodID, member), SET(GetStaticMethodID, member), SET(GetStaticFieldID, member), SET(GetStaticIntField, staticInt);
	SET(GetFieldID, member), SET(GetFloatField, floatOf), SET(GetIntField, intOf), SET(NewString, string), SET(NewObjectV, construct);
	SET(GetArrayLength, length), SET(GetObjectArrayElement, element), SET(NewObjectArray, arrayOf);
	SET(CallObjectMethodV, callV), SET(CallVoidMethodV, callV), SET(CallIntMethodV, callV);
	SET(CallBooleanMethodV, callV), SET(CallLongMethodV, callV);
	SET(CallObjectMethod, call), SET(CallVoidMethod, call), SET(CallIntMethod, call);
	SET(CallStaticObjectMethod, call), SET(CallStaticVoidMethod, call), SET(CallStaticIntMethod, call);
	SET(CallStaticBooleanMethod, call), SET(CallBooleanMethod, call);
	SET(NewByteArray, bytes), SET(GetByteArrayRegion, fromBytes), SET(SetByteArrayRegion, toBytes);
	SET(ExceptionCheck, nothing), SET(ExceptionOccurred, nothing), SET(ExceptionClear, nothing);
	SET(ReleaseStringUTFChars, nothing), SET(DeleteGlobalRef, nothing), SET(DeleteLocalRef, nothing);
	SET(PushLocalFrame, nothing), SET(PopLocalFrame, nothing);
	if (pipe(posts)) fail("no pipe");
}
