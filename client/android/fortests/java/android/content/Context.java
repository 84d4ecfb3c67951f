package android.content;

import java.io.File;

/** What Link asks of Android. */
public class Context {
	public static File files;

	public File getFilesDir() { return files; }

	public void startActivity(Intent intent) { System.out.println("start " + intent); }
}
