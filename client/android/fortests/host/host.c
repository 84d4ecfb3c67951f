// Starts an Android app's x86-64 library on plain Linux as Android would, with
// an X window for its screen, and does what it is told on standard input, one
// command a line:
//
//	tap X Y     press X Y (long)     drag X1 Y1 X2 Y2
//	type TEXT   backspace N (UTF-16 units)   done (the keyboard's key)
//	back   rotate   dark 0|1   hide   show   shot FILE (PPM)
//	wifi N (another Wi-Fi network, 0 for none)
//	allow 0|1 (the answer to the question whether the app may notify)
//	pick PATH (the answer to the question for a file), pick (nothing is picked)
//
// It answers each with a line "ok", or "error" and why. Between these are lines
// on what the app did: log, keyboard, clipboard, notification, withdrawn, asks,
// connect, lookup, picks, saves, opens, finished.
#include "host.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <dlfcn.h>
#include <poll.h>

int out, width, height, density;
const char *files;
float fontScale;

static void *library;
static ANativeActivityCallbacks callbacks;
static ANativeActivity activity = {.callbacks = &callbacks, .vm = &vm, .env = &java, .clazz = (jobject) "activity", .sdkVersion = 34};
static Display *display;
static Window window;
static int shown, keyboard, isDark;

static void *symbol(const char *name) {
	void *s = dlsym(library, name);
	if (!s) fail("the library has no %s", name);
	return s;
}

// NATIVE is a native method of GoNativeActivity.
#define NATIVE(name, ...) ((void (*)(JNIEnv *, jclass, ##__VA_ARGS__))symbol("Java_org_golang_app_GoNativeActivity_" #name))
#define CALL(callback, ...) callbacks.callback(&activity, ##__VA_ARGS__)
#define SCREEN ((ANativeWindow *)window)

// layout tells of the status bar, the keyboard or else the bar of gestures.
static void layout(void) {
	int bottom = !keyboard ? 16 : width < height ? 300 : 180;
	NATIVE(insetsChanged, int, int, int, int)(&java, NULL, 24 * density / 160, bottom * density / 160, 0, 0);
}

static void setKeyboard(int on) {
	if (on == keyboard) return;
	keyboard = on;
	say("keyboard %s", on ? "shown" : "hidden");
	layout();
}

static void setShown(int on) {
	if (on == shown) return;
	shown = on;
	if (on) {
		CALL(onStart), CALL(onResume), CALL(onNativeWindowCreated, SCREEN);
		layout();
		return;
	}
	size_t n;
	CALL(onPause);
	setKeyboard(0);
	CALL(onNativeWindowDestroyed, SCREEN), CALL(onSaveInstanceState, &n), CALL(onStop);
}

// reconfigure tells of another size or of the dark.
static void reconfigure(int dark) {
	XResizeWindow(display, window, width, height), XSync(display, False);
	CALL(onConfigurationChanged);
	NATIVE(setDarkMode, jboolean)(&java, NULL, isDark = dark);
	CALL(onNativeWindowRedrawNeeded, SCREEN);
	layout();
}

// pick tells of a file as Android does, which gives no path away: see openFile.
static void pick(const char *path) {
	char uri[4096];
	snprintf(uri, sizeof uri, *path ? CONTENT "%s" : "", path);
	NATIVE(filePickerReturned, jstring)(&java, NULL, (jstring)uri);
}

// type sends one character after the other, as a keyboard does.
static void type(const char *s) {
	for (char c[5]; *s; NATIVE(keyboardTyped, jstring)(&java, NULL, (jstring)c)) {
		int n = 0;
		do c[n++] = *s++; while ((*s & 0xc0) == 0x80 && n < 4);
		c[n] = 0;
	}
}

static int shot(const char *path) {
	XImage *image = XGetImage(display, window, 0, 0, width, height, AllPlanes, ZPixmap);
	FILE *f = fopen(path, "w");
	if (!image || !f) return 0;
	fprintf(f, "P6 %d %d 255\n", width, height);
	for (int i = 0; i < width * height; i++) {
		unsigned long p = XGetPixel(image, i % width, i / width);
		putc(p >> 16, f), putc(p >> 8, f), putc(p, f);
	}
	XDestroyImage(image);
	return !fclose(f);
}

// obey does one command and returns why it could not.
static const char *obey(const char *line) {
	int x, y, x2, y2;
	if (!keyboard && (!strncmp(line, "type ", 5) || !strcmp(line, "done") || !strncmp(line, "backspace ", 10))) return "no keyboard";
	if (sscanf(line, "drag %d %d %d %d", &x, &y, &x2, &y2) == 4) {
		touch(AMOTION_EVENT_ACTION_DOWN, x, y);
		for (int i = 1; i <= 12; i++, usleep(16000)) touch(AMOTION_EVENT_ACTION_MOVE, x + (x2 - x) * i / 12, y + (y2 - y) * i / 12);
		touch(AMOTION_EVENT_ACTION_UP, x2, y2);
	} else if (sscanf(line, "down %d %d", &x, &y) == 2) touch(AMOTION_EVENT_ACTION_DOWN, x, y);
	else if (sscanf(line, "up %d %d", &x, &y) == 2) touch(AMOTION_EVENT_ACTION_UP, x, y);
	else if (sscanf(line, "tap %d %d", &x, &y) == 2 || sscanf(line, "press %d %d", &x, &y) == 2) {
		// Fyne measures from when it comes to the one to when it comes to the other, late in a slow app:
		touch(AMOTION_EVENT_ACTION_DOWN, x, y); // a tap's come together,
		for (int i = 0; i < 2 && *line == 'p'; i++) CALL(onNativeWindowRedrawNeeded, SCREEN); // a press's after two frames
		if (*line == 'p') sleep(1);
		touch(AMOTION_EVENT_ACTION_UP, x, y);
	} else if (sscanf(line, "backspace %d", &x) == 1) while (x-- > 0) NATIVE(keyboardDelete)(&java, NULL);
	else if (!strncmp(line, "type ", 5)) type(line + 5);
	else if (!strcmp(line, "done")) type("\n"), setKeyboard(0);
	else if (!strcmp(line, "back") && keyboardUp) keyboardUp = 0, setKeyboard(0);
	else if (!strcmp(line, "back")) NATIVE(backPressed)(&java, NULL);
	else if (!strcmp(line, "rotate")) x = width, width = height, height = x, reconfigure(isDark);
	else if (sscanf(line, "dark %d", &x) == 1) reconfigure(x);
	else if (sscanf(line, "wifi %d", &x) == 1) setWifi(x);
	else if (sscanf(line, "allow %d", &x) == 1) mayNotify = x ? 1 : -1;
	else if (!strncmp(line, "pick", 4)) pick(line[4] ? line + 5 : "");
	else if (!strcmp(line, "hide")) setShown(0);
	else if (!strcmp(line, "show")) setShown(1);
	else if (strncmp(line, "shot ", 5)) return "unknown";
	else if (!shot(line + 5)) return "no picture";
	return NULL;
}

int main(int argc, char **argv) {
	int err = dup(2); // the app takes over 2, and 1
	out = dup(1);
	if (argc != 10) fail("want LIBRARY FOLDER WIDTH HEIGHT DENSITY FONT-SCALE MAY-NOTIFY ANDROID TARGET");
	files = argv[2], width = atoi(argv[3]), height = atoi(argv[4]), density = atoi(argv[5]);
	fontScale = atof(argv[6]), mayNotify = atoi(argv[7]), version = atoi(argv[8]), target = atoi(argv[9]);
	watchSockets();
	XInitThreads();
	XVisualInfo visual;
	display = XOpenDisplay(NULL);
	if (!display || !XMatchVisualInfo(display, DefaultScreen(display), 32, TrueColor, &visual)) fail("no display of 32 bits");
	Window root = DefaultRootWindow(display);
	XSetWindowAttributes attributes = {.colormap = XCreateColormap(display, root, visual.visual, AllocNone)};
	window = XCreateWindow(display, root, 0, 0, width, height, 0, 32, InputOutput, visual.visual,
		CWColormap | CWBorderPixel | CWBackPixel, &attributes);
	XMapWindow(display, window), XSync(display, False);
	library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
	if (!library) fail("%s", dlerror());
	((jint (*)(JavaVM *, void *))symbol("JNI_OnLoad"))(&vm, NULL);
	((ANativeActivity_createFunc *)symbol("ANativeActivity_onCreate"))(&activity, NULL, 0);
	dup2(err, 2); // Go's last words would be lost in the pipe that the app reads itself
	setShown(1);
	CALL(onInputQueueCreated, (AInputQueue *)&activity);
	say("ready");
	char line[4096], c;
	size_t n = 0;
	struct pollfd sources[] = {{0, POLLIN, 0}, {posts[0], POLLIN, 0}};
	while (poll(sources, 2, -1) > 0) {
		if (sources[1].revents && read(posts[0], &c, 1) == 1) c == 'f' ? (void)say("finished") : setKeyboard(c == 'k');
		if (!sources[0].revents) continue;
		if (read(0, &c, 1) != 1) break;
		if (c != '\n' && n < sizeof line - 1) {
			line[n++] = c;
			continue;
		}
		line[n] = 0, n = 0;
		const char *problem = obey(line);
		say("%s%s", problem ? "error " : "ok", problem ? problem : "");
	}
	_exit(0);
}
