package android.app;

import android.content.Context;
import android.content.Intent;
import android.os.Bundle;

public class Activity extends Context {
	public static Intent intent;

	protected void onCreate(Bundle state) { System.out.println("created"); }

	public Intent getIntent() { return intent; }

	public void finish() { System.out.println("finished"); }
}
