package android.content;

/** An intent; one whose action is "hostile" can't be read. */
public class Intent {
	private final String action;
	private String rest = "";
	public String data;
	public CharSequence text;

	public Intent(String action) { this.action = action; }

	public String getAction() {
		if ("hostile".equals(action)) throw new RuntimeException("a class that is not there");
		return action;
	}

	public String getDataString() { return data; }

	public CharSequence getCharSequenceExtra(String name) { return name.equals("android.intent.extra.TEXT") ? text : null; }

	public Intent addCategory(String category) {
		rest += " " + category;
		return this;
	}

	public Intent setClassName(Context context, String name) {
		rest += " " + name;
		return this;
	}

	public Intent setFlags(int flags) {
		rest += " " + Integer.toHexString(flags);
		return this;
	}

	public String toString() { return action + rest; }
}
