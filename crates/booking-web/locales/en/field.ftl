# What to do about a field that needs another value.

field-start-missing = Choose a time
field-start-unknown = Choose one of the times that are offered
field-name-missing = Enter your full name
field-name-length = Enter a name of at most { $max } letters
field-email-missing = Enter your e-mail address
field-email-shape = Enter an e-mail address in the form name@example.com
field-phone-shape = Enter a phone number such as 082 123 4567 or +27 82 123 4567
field-note-length = Shorten this to { $max } letters
field-note-control = Leave out characters that cannot be printed
field-number-range = Enter a whole number from { $min } to { $max }
field-price-shape = Enter an amount such as 350 or 350.50
field-line = Enter this, with at most { $max } letters
