# Reads C headers: what they declare, and the comments that say what it is.
# SPDX-License-Identifier: MIT
"""A comment (`//`) documents what follows it without a blank line between, up to the next blank line or comment: a group shares its
comment. One at the end of a declaration's lines documents that one. A file's first comment is its own."""

import re

OPENING, CLOSING = "({[", ")}]"
CONTAINER = re.compile(r"(struct|enum|union)\s*(\w*)\s*(?:__attribute__\(\(.*?\)\)\s*)?\{(.*)\}", re.DOTALL)
FUNCTION = re.compile(r"(\w+)\s*\((.*)\)[^()]*$", re.DOTALL)
POINTER = re.compile(r"\(\s*\*\s*(?:const\s+)?(\w+)\s*(?:\[[^]]*\])*\)\s*\((.*)\)", re.DOTALL)
ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)|_Noreturn|_Alignas\([^)]*\)|\b_Atomic\(([^)]*)\)")


class Item:
    """A declaration: its text without comments, the comment of its own and the comment of its group."""

    def __init__(self, line, text, own, group):
        self.line, self.text, self.own, self.group = line, text, own, group
        self.kind, self.name, self.parameters, self.members = "", "", [], []

    @property
    def comment(self):
        return self.own or self.group


def without_comment(line):
    """A line's code and the text of its comment."""
    code, found, comment = line.partition("//")
    if not found:
        code, found, comment = line.partition("/*")
        comment = comment.rstrip().removesuffix("*/")
    return code.rstrip(), comment.strip()


def depth(text):
    return sum(text.count(letter) for letter in OPENING) - sum(text.count(letter) for letter in CLOSING)


def ends(text):
    """Whether a declaration ends here."""
    if text.startswith("#"):
        return not text.endswith("\\")
    if depth(text) != 0:
        return False
    return text.endswith((";", ",")) or (text.endswith("}") and not text.startswith(("struct", "enum", "typedef", "union")))


def items(lines, first=1):
    """The declarations that stand in these lines, in their order."""
    before, group, code, trailing, start = [], "", [], [], 0
    for number, line in enumerate(lines, first):
        text, comment = without_comment(line)
        if not code and not text.strip():
            if comment:
                before.append(comment)
            else:
                before, group = [], ""
            continue
        if not code:
            start = number
            if before:
                group, before = " ".join(before), []
        code.append(text.strip() if text.startswith("#") else text)
        if comment:
            trailing.append(comment)
        if ends("\n".join(code).strip()):
            # Comments within braces are those of what stands there.
            inner = any("{" in part for part in code) and len(code) > 1
            yield Item(start, "\n".join(code), comment if inner else " ".join(trailing), group)
            code, trailing = [], []
    if "".join(code).strip():
        yield Item(start, "\n".join(code), " ".join(trailing), group)


def split(text):
    """A list at its commas, but not within parentheses."""
    parts, level = [""], 0
    for letter in text:
        level += (letter in OPENING) - (letter in CLOSING)
        if letter == "," and level == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def declared_name(text):
    """The name that a declarator without its initial value declares."""
    pointer = POINTER.search(text)
    if pointer:
        return pointer.group(1)
    text = re.sub(r"\[[^]]*\]|:\s*\d+\s*$|=.*", "", text).strip()
    words = re.findall(r"\w+", text)
    return words[-1] if words else ""


def parameters(text):
    return [declared_name(part) for part in split(text) if part not in ("void", "...")]


def members(item, lines):
    """What a struct's, union's or enum's braces hold, from the header's own lines, which have the comments."""
    inner = lines[item.line - 1:item.line - 1 + item.text.count("\n") + 1]
    if len(inner) == 1:
        body = CONTAINER.search(without_comment(inner[0])[0]).group(3)
        found = [Item(item.line, part, item.comment, "") for part in (split(body) if item.kind == "enum" else body.split(";")) if part.strip()]
    else:
        found = list(items(inner[1:-1], item.line + 1))
    for member in found:
        text = ATTRIBUTE.sub(r"\1", member.text).strip().rstrip(";,")
        member.kind = "constant" if item.kind == "enum" else "member"
        container = CONTAINER.search(member.text)
        if container:
            member.kind, member.name = container.group(1), text.rpartition("}")[2].strip() or "(unnamed)"
            member.members = members(member, lines) if "\n" in member.text else []
            yield member
            continue
        pointer = POINTER.search(text)
        if pointer:
            member.parameters = parameters(pointer.group(2))
        for part in [text] if pointer else split(text):
            one = Item(member.line, member.text, member.own, member.group)
            one.kind, one.parameters, one.name = member.kind, member.parameters, declared_name(part)
            if item.kind == "enum":
                one.name = re.match(r"\w*", part).group()
            yield one


def classify(item, lines):
    """Sets kind and name; None for what declares nothing, such as #include."""
    text = ATTRIBUTE.sub(r"\1", item.text).strip()
    container = CONTAINER.search(text)
    if text.startswith("#"):
        found = re.match(r"#\s*define\s+(\w+)(\([^)]*\))?", text)
        if not found or not text[found.end():].strip(" \\\n") and not found.group(2):
            return None
        item.kind, item.name = "macro", found.group(1)
        item.parameters = [name for name in re.findall(r"\w+", found.group(2) or "")]
    elif text.startswith(("static inline", "extern \"C\"", "_Static_assert")) and "(" not in text.partition("{")[0]:
        return None
    elif text.startswith("_Static_assert") or text in ("}", "};", 'extern "C" {'):
        return None
    elif container and text.startswith(("struct", "enum", "union", "typedef")):
        item.kind, item.name = container.group(1), container.group(2) or declared_name(text.rpartition("}")[2].rstrip(";"))
        item.members = list(members(item, lines))
    else:
        head = text.partition("{")[0].strip().rstrip(";")
        pointer, function = POINTER.search(head), FUNCTION.search(head)
        if head.startswith("typedef"):
            item.kind, item.name = "type", declared_name(head)
        elif function and not pointer:
            item.kind, item.name, item.parameters = "function", function.group(1), parameters(function.group(2))
        elif re.fullmatch(r"(struct|enum|union)\s+\w+", head):
            item.kind, item.name = "declaration", head.split()[-1]
        else:
            item.kind, item.name = "variable", declared_name(head)
    return item


def read(text):
    """A header's own comment and what it declares."""
    text = re.sub(r"^#ifdef __cplusplus\n(extern \"C\" \{|\})\n#endif$", "\n\n", text, flags=re.MULTILINE)
    lines = re.sub(r"^(#if|#endif|#else|#elif).*", "", text, flags=re.MULTILINE).splitlines()
    about = []
    for line in lines:
        if not line.startswith("//"):
            break
        if "SPDX-License-Identifier" not in line:
            about.append(line[2:].strip())
    found = [classify(item, lines) for item in items(lines)]
    return " ".join(about), [item for item in found if item]
