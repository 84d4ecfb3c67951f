// android/native_window.h, which Debian leaves out: what Fyne uses of it.
#ifndef PARLEY_NATIVE_WINDOW_H
#define PARLEY_NATIVE_WINDOW_H

#include <stdint.h>
#include <sys/cdefs.h>

__BEGIN_DECLS

typedef struct ANativeWindow ANativeWindow;

typedef struct ARect {
	int32_t left, top, right, bottom;
} ARect;

int32_t ANativeWindow_getWidth(ANativeWindow *window);
int32_t ANativeWindow_getHeight(ANativeWindow *window);
int32_t ANativeWindow_setBuffersGeometry(ANativeWindow *window, int32_t width, int32_t height, int32_t format);

__END_DECLS

#endif
