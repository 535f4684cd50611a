"""What wakes a person, what opens a ticket, and what do they read then?"""
