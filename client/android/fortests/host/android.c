// Android's native API: looper, input queue, configuration, window and log.
#include "host.h"

#include <android/configuration.h>
#include <android/log.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int woken, attached;
static unsigned first, last;
static struct AInputEvent { int action, x, y; } queue[4096]; // more touches than a test makes

void touch(int action, int x, int y) {
	pthread_mutex_lock(&mutex);
	if (last == sizeof queue / sizeof *queue) fail("too many touches");
	queue[last++] = (struct AInputEvent){action, x, y};
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

static void set(int *flag, int value) {
	pthread_mutex_lock(&mutex);
	*flag = value;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

ALooper *ALooper_prepare(int options) { return (ALooper *)queue; }
void ALooper_wake(ALooper *l) { set(&woken, 1); }
void AInputQueue_attachLooper(AInputQueue *q, ALooper *l, int id, ALooper_callbackFunc f, void *data) { set(&attached, 1); }
void AInputQueue_detachLooper(AInputQueue *q) { set(&attached, 0); }

int ALooper_pollOnce(int timeout, int *fd, int *events, void **data) {
	if (timeout >= 0) fail("ALooper_pollOnce with a timeout");
	pthread_mutex_lock(&mutex);
	while (!woken && !(attached && first < last)) pthread_cond_wait(&changed, &mutex);
	int result = woken ? ALOOPER_POLL_WAKE : 0;
	woken = 0;
	pthread_mutex_unlock(&mutex);
	return result;
}

int32_t AInputQueue_getEvent(AInputQueue *q, AInputEvent **event) {
	pthread_mutex_lock(&mutex);
	int some = first < last;
	if (some) *event = &queue[first++];
	pthread_mutex_unlock(&mutex);
	return some ? 0 : -1;
}

int32_t AInputQueue_preDispatchEvent(AInputQueue *q, AInputEvent *e) { return 0; }
void AInputQueue_finishEvent(AInputQueue *q, AInputEvent *e, int handled) {}
int32_t AInputEvent_getType(const AInputEvent *e) { return AINPUT_EVENT_TYPE_MOTION; }
int32_t AInputEvent_getDeviceId(const AInputEvent *e) { return 1; }
int32_t AMotionEvent_getAction(const AInputEvent *e) { return e->action; }
size_t AMotionEvent_getPointerCount(const AInputEvent *e) { return 1; }
int32_t AMotionEvent_getPointerId(const AInputEvent *e, size_t i) { return 0; }
float AMotionEvent_getX(const AInputEvent *e, size_t i) { return e->x; }
float AMotionEvent_getY(const AInputEvent *e, size_t i) { return e->y; }
int32_t AKeyEvent_getAction(const AInputEvent *e) { fail("a touch is no key"); }
int32_t AKeyEvent_getKeyCode(const AInputEvent *e) { fail("a touch is no key"); }
int32_t AKeyEvent_getMetaState(const AInputEvent *e) { fail("a touch is no key"); }

AConfiguration *AConfiguration_new(void) { return (AConfiguration *)queue; }
void AConfiguration_delete(AConfiguration *c) {}
void AConfiguration_fromAssetManager(AConfiguration *c, AAssetManager *m) {}
int32_t AConfiguration_getDensity(AConfiguration *c) { return density; }
int32_t AConfiguration_getOrientation(AConfiguration *c) { return width < height ? ACONFIGURATION_ORIENTATION_PORT : ACONFIGURATION_ORIENTATION_LAND; }

// An ANativeWindow is an X window.
int32_t ANativeWindow_getWidth(ANativeWindow *w) { return width; }
int32_t ANativeWindow_getHeight(ANativeWindow *w) { return height; }
int32_t ANativeWindow_setBuffersGeometry(ANativeWindow *w, int32_t x, int32_t y, int32_t format) { return 0; }

int __android_log_write(int priority, const char *tag, const char *text) { return say("log %s: %s", tag, text); }
int __android_log_vprint(int priority, const char *tag, const char *format, va_list args) {
	char text[4096];
	vsnprintf(text, sizeof text, format, args);
	return __android_log_write(priority, tag, text);
}
int __android_log_print(int priority, const char *tag, const char *format, ...) {
	va_list args;
	va_start(args, format);
	return __android_log_vprint(priority, tag, format, args);
}
