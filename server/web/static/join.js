// Keeps the page of /join as the server would show it now.

const every = 5000; // ms

async function renew() {
	const gone = document.getElementById('gone');
	try {
		const answer = await fetch(location.href, {cache: 'no-store'});
		const now = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main');
		const shown = document.querySelector('main');
		if (answer.ok && !now.isEqualNode(shown)) shown.replaceWith(now);
		gone.hidden = answer.ok;
	} catch {
		gone.hidden = false;
	}
	setTimeout(renew, every);
}
setTimeout(renew, every);
