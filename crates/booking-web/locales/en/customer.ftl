# Customers, as the desk keeps them.

customers-title = Customers
customers-new = New customer
customers-search = Name, phone or e-mail
customers-find = Find
customers-newest = Newest
customers-found = { $count ->
    [one] One customer found
   *[other] { $count } customers found
}
customers-none-title = Nobody found
customers-none = Try a part of the name, or the last digits of the phone number.

customer-name = Full name
customer-details = Details
customer-bookings = Bookings
customer-history = What was changed
customer-told = What they were told and agreed to
told-page = Was shown what their data is used for, on a page ({ $notice })
told-phone = Was told what their data is used for, by phone ({ $notice })
told-walk-in = Was told what their data is used for, when they came ({ $notice })
told-api = A program showed what their data is used for ({ $notice })
told-news-yes = Wants news and offers ({ $notice })
told-news-no = Wants no news and offers any more ({ $notice })
customer-missed = { $count ->
    [one] Did not come once
   *[other] Did not come { $count } times
}
customer-email-taken = Another customer has this address. Find them, or merge the two.
customer-restricted = Only for their bookings
customer-restricted-hint = They asked that their details are used for nothing else.
customer-merge = Merge with another record
customer-privacy = What they ask about their data

merge-title = Merge two records
merge-lede = Who is the same person as { $name }?
merge-what = What will happen
merge-stays = { $name } stays, with these details.
merge-bookings = { $count ->
    [0] { $name } has no bookings to hand over.
    [one] One booking of { $name } is handed over.
   *[other] { $count } bookings of { $name } are handed over.
}
merge-goes = The other record of { $name } is found no longer. Its address leads to the one that stays.
merge-privacy = Privacy
merge-for-good = This cannot be undone.
merge-do = Merge
