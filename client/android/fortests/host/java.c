// The Java side: a JNI table, and what Fyne's GoNativeActivity and the parts of
// Android behind it answer. Classes, methods and fields are their names.
#include "host.h"

int keyboardUp, posts[2];
static const char *clipboard;
static long post(char what) { return write(posts[1], &what, 1) - 1; }

// call is every method, static or not. Its result serves for an int, too.
static long call(JNIEnv *env, const char *object, const char *method, ...) {
	va_list args;
	va_start(args, method);
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
	// the clipboard
	if (IS("getSystemService")) return (long)ARGUMENT;
	if (IS("setText")) return say("clipboard %s", clipboard = ARGUMENT);
	if (IS("getText")) return (long)clipboard;
	// notifications
	if (IS("setContentTitle") || IS("setContentText")) return say("notification %s", ARGUMENT), (long)object;
	if (IS("setChannelId") || IS("setSmallIcon") || IS("build")) return (long)object;
	if (IS("createNotificationChannel") || IS("notify")) return 0;
	// the language
	if (IS("getResources") || IS("getConfiguration") || IS("getLocales") || IS("get")) return (long)object;
	if (IS("toLanguageTag") || IS("toLanguageTags")) return (long)"en-US";
	fail("the app calls %s", method);
}

static const char *member(JNIEnv *env, jclass class, const char *name, const char *signature) { return strdup(name); }
static const char *copy(JNIEnv *env, const char *text) { return strdup(text); }
static const char *characters(JNIEnv *env, const char *text, jboolean *copied) { return text; }
static const char *same(JNIEnv *env, const char *object) { return object; }
static const char *construct(JNIEnv *env, const char *class, const char *method, ...) { return class; }
static long nothing(JNIEnv *env) { return 0; }
static void absent(void) { fail("the app uses a part of JNI that the host has not"); }

static jint staticInt(JNIEnv *env, jclass class, const char *field) {
	if (strcmp(field, "SDK_INT")) fail("the app reads %s", field);
	return 34;
}

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
	SET(CallObjectMethod, call), SET(CallVoidMethod, call), SET(CallIntMethod, call);
	SET(CallStaticObjectMethod, call), SET(CallStaticVoidMethod, call), SET(CallStaticIntMethod, call);
	SET(ExceptionCheck, nothing), SET(ExceptionOccurred, nothing), SET(ExceptionClear, nothing);
	SET(ReleaseStringUTFChars, nothing), SET(DeleteGlobalRef, nothing);
	if (pipe(posts)) fail("no pipe");
}
