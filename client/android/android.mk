# The app for Android, and packages of the desktop app. Included by ../../Makefile.

APK_PACKAGES := clang lld llvm android-liblog-dev android-libnativehelper-dev android-platform-frameworks-native-headers \
	libegl-dev libgles-dev aapt android-framework-res apksigner zipalign default-jdk-headless libsmali-java

# What runs the app's library without a phone, and shows what it draws.
HOST_PACKAGES := gcc libc6-dev libx11-dev libgl1-mesa-dri xvfb util-linux fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji

# What `make test` does with the app for Android: the rest of the targets needs minutes more.
ifeq ($(shell uname -sm),Linux x86_64)
TEST_APK      := apk-test
TEST_PACKAGES += $(APK_PACKAGES) $(HOST_PACKAGES)
else
TEST_APK      := apk-test-elsewhere
endif

# The desktop's package, as Fyne's tool names and forms it: an archive with a Makefile, an .app, or an .exe.
FYNE_TOOL := fyne.io/tools/cmd/fyne@v1.7.4
APP_ID    := $(shell sed -n 's/^ID = "\(.*\)"/\1/p' FyneApp.toml)
APP_BUILD := $(shell sed -n 's/^Build = \(.*\)/\1/p' FyneApp.toml)

.PHONY: apk apk-universal apk-check apk-run apk-test apk-test-elsewhere client-dist apk-packages host-packages

apk: check-go apk-packages ## build the app for Android, arm64 and x86_64, in dist/ (the first time takes minutes)
	go run ./client/android build arm64
	go run ./client/android build amd64

apk-universal: check-go apk-packages ## build it as one file for all of Android's architectures
	go run ./client/android build all

apk-check: check-go apk-packages ## say what is wrong with the APKs in dist/
	go run ./client/android check dist/parley-$(VERSION)-*.apk

apk-run: check-go apk-packages host-packages ## run the x86_64 APK's library on this machine, from the first page to a killed app
	go test ./client/android -count 1 -run 'TestApp|TestGestures' -apk $(CURDIR)/dist/parley-$(VERSION)-x86_64.apk $(if $(SHOTS),-shots $(abspath $(SHOTS)))

apk-test: check-go apk-packages ## build, check and run the x86_64 APK
	go run ./client/android build amd64
	@$(MAKE) --no-print-directory apk-run

apk-test-elsewhere:
	@echo "The app for Android is tested on Linux x86_64 alone, not here."

client-dist: check-go build-packages ## package the desktop app of this system with its icon, in dist/
	go build -trimpath -ldflags "-s -w" -tags no_emoji -o build/parley$(shell go env GOEXE) .
	@rm -rf build/_desktop && mkdir -p build/_desktop dist && cp main.go build/_desktop # where the tool finds no FyneApp.toml to count up
	cd build/_desktop && go run $(FYNE_TOOL) package --executable ../parley$(shell go env GOEXE) --release \
		--icon ../../assets/icon.png --app-id $(APP_ID) --name Parley --app-version $(VERSION) --app-build $(APP_BUILD)
	@[ ! -f build/_desktop/Parley.tar.xz ] || $(TAKES_LINKS)
	@rm -rf dist/Parley.* && mv build/_desktop/Parley.* dist/ && ls -d dist/Parley.*

# On Linux the app takes parley:// links. Fyne's tool can only say that an app takes files.
TAKES_LINKS = { cd build/_desktop && mkdir links && cd links && tar -xf ../Parley.tar.xz && \
	sed -i 's,^Exec=.*,& %u\nMimeType=x-scheme-handler/parley;,' parley/usr/local/share/applications/$(APP_ID).desktop && \
	sed -i 's,^user-uninstall:,\t-update-desktop-database $$(DESTDIR)$$(HOME)/.local/share/applications\n\n&,' parley/Makefile && \
	tar -cJf ../Parley.tar.xz parley; }

# With an NDK nothing is needed from Debian.
apk-packages:
ifndef ANDROID_NDK_HOME
	@command -v dpkg >/dev/null || { \
		echo "\`make apk\` needs ANDROID_NDK_HOME (developer.android.com/ndk), or on Debian/Ubuntu"; \
		echo "\`apt install $(APK_PACKAGES)\` for a test build. Nothing was changed."; exit 1; }
	$(call packages,$(APK_PACKAGES))
endif

host-packages:
	$(call packages,$(HOST_PACKAGES))
