/** Post the answer of a login back to the site at once; the button serves browsers without scripts. */

document.getElementById("back").submit();
