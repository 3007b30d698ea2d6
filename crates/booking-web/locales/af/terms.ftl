# Boodskappe, vakansiedae en privaatheid, soos ’n besigheid dit stel.

settings-more = Meer instellings
reminders-title = Boodskappe en herinneringe
reminders-about = Van wie boodskappe kom, wanneer kliënte herinner word, stil ure
reminders-from = Van wie boodskappe kom
reminders-sender = Naam van die sender
reminders-sender-hint = Die naam van die besigheid waar dit leeg gelaat word.
reminders-email = Adres vir antwoorde
reminders-email-hint = Kliënte se antwoorde gaan daarheen, en berig van boodskappe wat nie gestuur kon word nie.
reminders-when = Wanneer kliënte herinner word
reminders-by-email = Per e-pos
reminders-by-sms = Per teksboodskap
reminders-none = Glad nie
reminders-before = { $time } vooraf
reminders-days = { $days ->
    [one] 1 dag
   *[other] { $days } dae
}
reminders-quiet = Tussen hierdie tye word niemand herinner nie. Dieselfde tyd twee keer beteken enige tyd.
reminders-quiet-from = Stil van
reminders-quiet-until = tot
reminders-time-wrong = Gee ’n tyd soos 20:00
reminders-hides = Moenie die diens noem nie
reminders-hides-hint = Boodskappe sê “afspraak” in die plek daarvan. Kies dit waar die naam van ’n diens te veel vertel.

holidays-title = Openbare vakansiedae
holidays-about = Dae waarop u gesluit is
holidays-kept = U is op openbare vakansiedae gesluit, behalwe dié hieronder wat oop sê.
holidays-not-kept = U is op openbare vakansiedae oop, behalwe dié hieronder wat gesluit sê.
holidays-ignore = Wees oop op openbare vakansiedae
holidays-keep = Wees gesluit op openbare vakansiedae
holidays-closed = Gesluit
holidays-open = Oop
holidays-be-open = Wees oop
holidays-be-closed = Wees gesluit
holidays-forget = Neem weg
holidays-new = Nog ’n dag
holidays-date = Datum
holidays-date-wrong = Kies ’n datum binne die volgende jaar
holidays-name = Wat dit is
holidays-name-hint = Soos voorraadopname of ’n opleidingsdag.
holidays-add = Wees op daardie dag gesluit
holiday-new-year = Nuwejaarsdag
holiday-human-rights = Menseregtedag
holiday-good-friday = Goeie Vrydag
holiday-family = Gesinsdag
holiday-freedom = Vryheidsdag
holiday-workers = Werkersdag
holiday-youth = Jeugdag
holiday-women = Nasionale Vrouedag
holiday-heritage = Erfenisdag
holiday-reconciliation = Versoeningsdag
holiday-christmas = Kersdag
holiday-goodwill = Welwillendheidsdag

responsible-title = Wie vir privaatheid instaan
responsible-about = Name in u privaatheidskennisgewing, en hoe lank u wat hou
responsible-lede = Dit staan in die kennisgewing wat kliënte sien voordat hulle bespreek.
responsible-who = Die besigheid
responsible-name = Regsnaam
responsible-address = Adres
responsible-officer-title = Die inligtingsbeampte
responsible-officer = Naam
responsible-officer-hint = Die hoof van die besigheid, waar niemand anders by die Inligtingsreguleerder aangewys is nie.
responsible-officer-email = E-pos
responsible-officer-phone = Telefoon
responsible-recipients = Wie anders kliënte se data sien
responsible-recipients-hint = Soos ’n boekhouer of ’n mediese skema. Niemand, waar dit leeg gelaat word.
responsible-keep = Hoe lank dit gehou word
responsible-contact-days = Dae ná die laaste besoek vir name en adresse
responsible-note-days = Dae ná ’n besoek vir notas
responsible-days-hint = { $days } waar dit leeg gelaat word. Rekords wat ’n wet langer hou, word volgens daardie wet gehou.
