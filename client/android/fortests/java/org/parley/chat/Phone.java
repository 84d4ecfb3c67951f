package org.parley.chat;

import android.app.Activity;
import android.content.Context;
import android.content.Intent;
import java.io.File;

/** Has Android open Link: FOLDER, then ACTION, DATA and TEXT, each null if it is "-"; without these there is no intent. */
public final class Phone {
	public static void main(String[] args) {
		Context.files = new File(args[0]);
		if (args.length > 1) {
			Intent intent = new Intent(given(args[1]));
			intent.data = given(args[2]);
			String text = given(args[3]);
			intent.text = text == null ? null : new StringBuilder(text); // marked text is no String
			Activity.intent = intent;
		}
		new Link().onCreate(null);
	}

	private static String given(String arg) { return arg.equals("-") ? null : arg; }
}
