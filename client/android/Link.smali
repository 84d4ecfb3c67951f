# What Android opens parley:// links and shared text with. It leaves them in the file "link" of the app's
# folder, which the app reads when it comes to the front (client/ui/handed.go), and starts Fyne's activity as
# the launcher does: one that is there comes to the front, because the Go process bears no second one.
#
# "go run ./client/android dex" assembles it; link.dex is the result.

.class public final Lorg/parley/chat/Link;
.super Landroid/app/Activity;

.method public constructor <init>()V
    .registers 1
    invoke-direct {p0}, Landroid/app/Activity;-><init>()V
    return-void
.end method

.method protected onCreate(Landroid/os/Bundle;)V
    .registers 4
    invoke-super {p0, p1}, Landroid/app/Activity;->onCreate(Landroid/os/Bundle;)V

    # Whatever other apps put into an intent, and whatever the disk does, the app is started.
    :try
    invoke-direct {p0}, Lorg/parley/chat/Link;->keep()V
    :tried
    .catch Ljava/lang/Exception; {:try .. :tried} :failed
    goto :start
    :failed
    move-exception v0

    :start
    new-instance v0, Landroid/content/Intent;
    const-string v1, "android.intent.action.MAIN"
    invoke-direct {v0, v1}, Landroid/content/Intent;-><init>(Ljava/lang/String;)V
    const-string v1, "android.intent.category.LAUNCHER"
    invoke-virtual {v0, v1}, Landroid/content/Intent;->addCategory(Ljava/lang/String;)Landroid/content/Intent;
    const-string v1, "org.golang.app.GoNativeActivity"
    invoke-virtual {v0, p0, v1}, Landroid/content/Intent;->setClassName(Landroid/content/Context;Ljava/lang/String;)Landroid/content/Intent;
    const/high16 v1, 0x34000000    # NEW_TASK, SINGLE_TOP and CLEAR_TOP
    invoke-virtual {v0, v1}, Landroid/content/Intent;->setFlags(I)Landroid/content/Intent;
    invoke-virtual {p0, v0}, Lorg/parley/chat/Link;->startActivity(Landroid/content/Intent;)V
    invoke-virtual {p0}, Lorg/parley/chat/Link;->finish()V
    return-void
.end method

# keep writes what the intent has into the file, which appears whole or not at all. Of more than 8,192
# characters it keeps none.
.method private keep()V
    .registers 5
    invoke-virtual {p0}, Lorg/parley/chat/Link;->getIntent()Landroid/content/Intent;
    move-result-object v0
    if-eqz v0, :nothing
    invoke-virtual {v0}, Landroid/content/Intent;->getAction()Ljava/lang/String;
    move-result-object v1
    const-string v2, "android.intent.action.SEND"
    invoke-virtual {v2, v1}, Ljava/lang/String;->equals(Ljava/lang/Object;)Z
    move-result v1
    if-nez v1, :shared
    invoke-virtual {v0}, Landroid/content/Intent;->getDataString()Ljava/lang/String;
    move-result-object v0
    if-eqz v0, :nothing
    goto :bound
    :shared
    const-string v1, "android.intent.extra.TEXT"
    invoke-virtual {v0, v1}, Landroid/content/Intent;->getCharSequenceExtra(Ljava/lang/String;)Ljava/lang/CharSequence;
    move-result-object v0
    if-eqz v0, :nothing
    invoke-virtual {v0}, Ljava/lang/Object;->toString()Ljava/lang/String;
    move-result-object v0
    :bound
    invoke-virtual {v0}, Ljava/lang/String;->length()I
    move-result v1
    const/16 v2, 0x2000
    if-le v1, v2, :write
    const-string v0, ""

    :write
    const-string v1, "UTF-8"
    invoke-virtual {v0, v1}, Ljava/lang/String;->getBytes(Ljava/lang/String;)[B
    move-result-object v0
    new-instance v1, Ljava/io/File;
    invoke-virtual {p0}, Lorg/parley/chat/Link;->getFilesDir()Ljava/io/File;
    move-result-object v2
    const-string v3, "fyne"
    invoke-direct {v1, v2, v3}, Ljava/io/File;-><init>(Ljava/io/File;Ljava/lang/String;)V
    invoke-virtual {v1}, Ljava/io/File;->mkdirs()Z
    new-instance v2, Ljava/io/File;
    const-string v3, "link.new"
    invoke-direct {v2, v1, v3}, Ljava/io/File;-><init>(Ljava/io/File;Ljava/lang/String;)V
    new-instance v3, Ljava/io/FileOutputStream;
    invoke-direct {v3, v2}, Ljava/io/FileOutputStream;-><init>(Ljava/io/File;)V
    invoke-virtual {v3, v0}, Ljava/io/FileOutputStream;->write([B)V
    invoke-virtual {v3}, Ljava/io/FileOutputStream;->close()V
    new-instance v0, Ljava/io/File;
    const-string v3, "link"
    invoke-direct {v0, v1, v3}, Ljava/io/File;-><init>(Ljava/io/File;Ljava/lang/String;)V
    invoke-virtual {v2, v0}, Ljava/io/File;->renameTo(Ljava/io/File;)Z
    :nothing
    return-void
.end method
