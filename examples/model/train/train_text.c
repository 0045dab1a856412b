/* SPDX-License-Identifier: Apache-2.0 */
/*
 * train_text.c: a small world in whole sentences: things of a harbour and what is true of them, as
 * talk and as stories, so that a small model can learn all of it.
 */
#include "train.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct thing {
    const char *name;
    const char *kind;
    const char *use;
    const char *place;
};

static const struct thing things[] = {
    {"caisson", "a box that keeps the water out", "to let people work below the water",
     "at the foot of the new bridge"},
    {"crane", "a machine with a long arm", "to lift heavy loads", "at the edge of the quay"},
    {"anchor", "a heavy iron hook", "to hold a ship in its place", "at the bow of each ship"},
    {"buoy", "a float on a chain", "to show ships the way", "in the middle of the bay"},
    {"lighthouse", "a tower with a lamp", "to warn ships at night", "on the long rock"},
    {"lock", "a chamber with two gates", "to lift boats to the canal",
     "between the river and the canal"},
    {"ferry", "a flat boat", "to carry people across the bay", "at the small pier"},
    {"rope", "a line of twisted hemp", "to tie boats to the quay", "in the grey shed"},
    {"bell", "a cup of bronze", "to call people in the fog", "above the harbour gate"},
    {"chart", "a map of the water", "to find a safe way home", "in the office of the pilot"},
    {"diver", "a person who works under water", "to mend what lies below", "in the caisson"},
    {"key", "a piece of cut brass", "to open the harbour gate", "in the pocket of the guard"},
};
static const char *const names[] = {"Ada", "Ben", "Cora", "Dan", "Eve", "Finn", "Gus", "Hanna"};
static const char *const animals[] = {"otter", "gull", "cat", "seal", "heron", "dog", "crab"};
static const char *const natures[] = {"small", "old", "brave", "quiet", "clever", "hungry"};
static const char *const finds[] = {"a shell", "a blue stone", "a letter", "a fish", "a coin"};
static const char *const weathers[] = {"The sun was warm.", "It was raining.",
                                       "There was thick fog.", "The wind was strong.",
                                       "The night was clear."};
static const char *const numbers[] = {"one",   "two",   "three", "four", "five",   "six",
                                      "seven", "eight", "nine",  "ten",  "eleven", "twelve"};

#define COUNT(list)        (sizeof(list) / sizeof(list)[0])
#define PICK(random, list) ((list)[train_below(random, COUNT(list))])

struct page {
    char *text;
    uint32_t size;
};

__attribute__((format(printf, 2, 3))) static void say(struct page *page, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int size =
        vsnprintf(page->text + page->size, TRAIN_TEXT_MAX - page->size, format, arguments);
    va_end(arguments);
    const uint32_t room = TRAIN_TEXT_MAX - page->size - 1;
    page->size += size < 0 ? 0 : (uint32_t)size > room ? room : (uint32_t)size;
}

static const char *article(const char *name)
{
    return strchr("aeiou", name[0]) != NULL ? "an" : "a";
}

/* ---- talk ---- */

static void ask_thing(struct page *page, struct train_random *random, char *answer, size_t room)
{
    const struct thing *thing = &PICK(random, things);
    const char *a = article(thing->name);
    switch (train_below(random, 6)) {
    case 0:
        say(page, "What is %s %s?", a, thing->name);
        snprintf(answer, room, "%s %s is %s. It is there %s.", a[1] == 'n' ? "An" : "A",
                 thing->name, thing->kind, thing->use);
        break;
    case 1:
        say(page, "What is %s %s for?", a, thing->name);
        snprintf(answer, room, "It is there %s.", thing->use);
        break;
    case 2:
        say(page, "Where is the %s?", thing->name);
        snprintf(answer, room, "The %s is %s.", thing->name, thing->place);
        break;
    case 3:
        say(page, "Tell me about the %s.", thing->name);
        snprintf(answer, room, "The %s is %s. It is %s, and it is there %s.", thing->name,
                 thing->kind, thing->place, thing->use);
        break;
    case 4:
        say(page, "What do I need %s?", thing->use);
        snprintf(answer, room, "You need the %s. It is %s.", thing->name, thing->place);
        break;
    default:
        say(page, "What is %s?", thing->place);
        snprintf(answer, room, "The %s is %s.", thing->name, thing->place);
        break;
    }
}

static void ask_number(struct page *page, struct train_random *random, char *answer, size_t room)
{
    const uint32_t at = train_below(random, COUNT(numbers) - 1);
    if (train_below(random, 2) == 0) {
        say(page, "What comes after %s?", numbers[at]);
        snprintf(answer, room, "After %s comes %s.", numbers[at], numbers[at + 1]);
    } else {
        say(page, "What comes before %s?", numbers[at + 1]);
        snprintf(answer, room, "Before %s comes %s.", numbers[at + 1], numbers[at]);
    }
}

static void ask_else(struct page *page, struct train_random *random, char *answer, size_t room)
{
    static const char *const talk[][2] = {
        {"Hello!", "Hello. Ask me about the harbour."},
        {"Hi", "Hello. Ask me about the harbour."},
        {"Who are you?", "I am a small model. I know a harbour, and not much else."},
        {"Who can read this?", "Nobody but you and I: what you say is sealed."},
        {"What do you know?", "I know the things of a harbour, and how to count to twelve."},
        {"Thank you.", "You are welcome."},
        {"Can you help me?", "Yes. Ask me about the harbour."},
        {"Goodbye", "Goodbye. Mind the ropes."},
    };
    const char *const *pair = talk[train_below(random, COUNT(talk))];
    say(page, "%s", pair[0]);
    snprintf(answer, room, "%s", pair[1]);
}

static void write_talk(struct page *page, struct train_random *random)
{
    const uint32_t turns = 1 + train_below(random, 3);
    char answer[256];
    for (uint32_t i = 0; i < turns; i++) {
        const uint32_t what = train_below(random, 8);
        say(page, "<|im_start|>user\n");
        if (what < 5) {
            ask_thing(page, random, answer, sizeof answer);
        } else if (what < 6) {
            ask_number(page, random, answer, sizeof answer);
        } else {
            ask_else(page, random, answer, sizeof answer);
        }
        say(page, "<|im_end|>\n<|im_start|>assistant\n%s<|im_end|>\n", answer);
    }
}

/* ---- stories ---- */

static void write_story(struct page *page, struct train_random *random)
{
    const char *name = PICK(random, names);
    const char *friend_name = PICK(random, names);
    const char *nature = PICK(random, natures);
    const char *animal = PICK(random, animals);
    const char *found = PICK(random, finds);
    const struct thing *thing = &PICK(random, things);
    say(page, "Once there was %s %s %s called %s. ", article(nature), nature, animal, name);
    say(page, "%s lived near the %s. %s ", name, thing->name, PICK(random, weathers));
    say(page, "One morning %s found %s. \"Whose is it?\" asked %s. ", name, found, name);
    say(page, "%s went to look for %s, who was %s. ", name, friend_name, thing->place);
    if (train_below(random, 2) == 0) {
        say(page, "\"It is mine,\" said %s, \"and I thank you.\" ", friend_name);
        say(page, "They sat down together and counted the ships: %s, %s, %s. ", numbers[0],
            numbers[1], numbers[2]);
    } else {
        say(page, "\"It is not mine,\" said %s, \"so you may keep it.\" ", friend_name);
        say(page, "So %s kept it and was glad. ", name);
    }
    say(page, "In the evening the %s went home.", animal);
}

uint32_t train_text(struct train_random *random, char text[TRAIN_TEXT_MAX])
{
    struct page page = {text, 0};
    if (train_below(random, 3) == 0) {
        write_story(&page, random);
    } else {
        write_talk(&page, random);
    }
    return page.size;
}
