"""A reader of a vault written from docs/format.md alone: the standard library, and `openssl` for Ed25519.

    python3 format-reader.py VAULT-DIRECTORY OPENSSL

Checks the checkpoint, the pages, the tree, every envelope, signature, digest, path and file, and prints what it read as JSON.
Knows nothing of who may do what: it is for logs of honest people, without void entries.
"""
import base64
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT, OPENSSL = pathlib.Path(sys.argv[1]), sys.argv[2]
ENTRY = 'application/vnd.oxp-vault.entry.v1+json'
CARD = 'application/vnd.oxp-vault.card.v1+json'
SPKI = bytes.fromhex('302a300506032b6570032100')  # RFC 8410


def sha256(data):
    return hashlib.sha256(data).digest()


def must(condition, what):
    if not condition:
        sys.exit(f'not as docs/format.md says: {what}')


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    must(base64.b64encode(data).decode() == text, 'padded standard base64')
    return data


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(',', ':'), ensure_ascii=False).encode()


def read_canonical(data):
    value = json.loads(data.decode())
    must(canonical(value) == data, 'canonical JSON')
    return value


def key_id(public):
    return sha256(b'oxp-vault/key/v1\0ed25519\0' + public).hex()


def verify(public, message, signature, what):
    with tempfile.TemporaryDirectory() as place:
        files = [pathlib.Path(place, name) for name in ('key', 'message', 'signature')]
        for file, data in zip(files, (SPKI + public, message, signature)):
            file.write_bytes(data)
        key, text, sig = files
        command = [OPENSSL, 'pkeyutl', '-verify', '-pubin', '-keyform', 'DER', '-inkey', key, '-rawin', '-in', text, '-sigfile', sig]
        must(subprocess.run(command, capture_output=True).returncode == 0, f'the signature of {what}')


def open_envelope(line, payload_type, key_of):
    """The payload, the entry digest (SHA-256 of the PAE); `key_of` finds the public key in the payload."""
    envelope = read_canonical(line)
    must(set(envelope) == {'payload', 'payloadType', 'signatures'} and len(envelope['signatures']) == 1, 'an envelope')
    must(envelope['payloadType'] == payload_type, 'the type of an envelope')
    data = unbase64(envelope['payload'])
    payload = read_canonical(data)
    pae = b'DSSEv1 %d %s %d %s' % (len(payload_type), payload_type.encode(), len(data), data)
    public = key_of(payload)
    must(envelope['signatures'][0]['keyid'] == key_id(public), 'a key id')
    verify(public, pae, unbase64(envelope['signatures'][0]['sig']), f'an envelope of {payload_type}')
    return payload, sha256(pae).hex()


def tree_root(hashes):
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b'')
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha256(b'\x01' + tree_root(hashes[:split]) + tree_root(hashes[split:]))


def read_blob(path, ref):
    data = (ROOT / path).read_bytes()
    must(sha256(data).hex() == ref['sha256'] and len(data) == ref['size'], f'{path} is what was signed')
    return data


# The checkpoint, a signed note.
text, signatures = (ROOT / 'log/checkpoint').read_bytes().rsplit(b'\n\n', 1)
text += b'\n'
origin, size, root, extension = text.decode().removesuffix('\n').split('\n')
vault, size, root, page = origin.removeprefix('oxp-vault/'), int(size), unbase64(root), extension.removeprefix('page ')

# The pages, from the last one back.
leaves, first = [], (size - 1) // 256 * 256
while page is not None:
    data = (ROOT / f'log/{first:010d}-{page[:16]}-{first:010d}.jsonl').read_bytes()
    must(sha256(data).hex() == page, 'the digest of a page')
    head, *lines, end = data.split(b'\n')
    must(end == b'' and 1 <= len(lines) <= 256, 'the lines of a page')
    leaves, page, first = lines + leaves, json.loads(head)['previous'], first - 256
must(first == -256 and len(leaves) == size, 'all pages, and no more')
hashes = [sha256(b'\x00' + leaf) for leaf in leaves]
must(tree_root(hashes) == root, 'the root')

# Policy 1, whose digest is the vault's id, and the cards in it.
[file] = (ROOT / 'policy').glob(f'0001-{vault[:8]}.json')
must(sha256(file.read_bytes()).hex() == vault, "the vault's id")
policy, keys = read_canonical(file.read_bytes()), {}
for person, record in policy['persons'].items():
    for line in record['cards']:
        card, _ = open_envelope(line.encode(), CARD, lambda payload: bytes.fromhex(payload['key']))
        keys[person, card['device']] = bytes.fromhex(card['key'])

# Who signed the checkpoint.
dash, name, signature = signatures.decode().removesuffix('\n').split(' ')
must(dash == '\u2014', 'a signature line')
person, device = name.removeprefix(f'oxp-vault/{vault}/').split('/')
signature, public = unbase64(signature), keys[person, device]
must(signature[:4] == sha256(name.encode() + b'\n\x01' + public)[:4], 'the key hash of a note')
verify(public, text, signature[4:], 'the checkpoint')

# The entries.
ops, secrets, newest = [], {}, {}
for leaf in leaves:
    entry, digest = open_envelope(leaf, ENTRY, lambda payload: keys[payload['actor']['person'], payload['actor']['device']])
    must(entry['vault'] == vault and entry['policy'] == {'number': 1, 'digest': vault}, 'vault and policy of an entry')
    must(tree_root(hashes[:entry['seen']['size']]).hex() == entry['seen']['root'], 'what a signer has seen')
    body = entry['body'] if 'body' in entry else read_canonical(read_blob(f"objects/{entry['object']['sha256']}.json", entry['object']))
    ops.append(f"{entry['op']}{'' if 'body' in entry else ' (object)'}")
    if entry['op'] == 'role.grant':
        read_blob(f"roles/{body['role']}/{body['epoch']:04d}/{body['person']}-{body['blob']['sha256'][:8]}.age", body['blob'])
    if entry['op'] == 'secret.seal':
        statement = body['statement']
        name, ciphertext = statement['name'], statement['ciphertext']
        must(statement['previous'] == newest.get(name), 'the statement before')
        newest[name] = sha256(b'oxp-vault/statement/v1\0' + canonical(statement)).hex()
        data = read_blob(f"secrets/{name}/{statement['version']:04d}-{ciphertext['sha256'][:8]}.age", ciphertext)
        must(data.split(b'\n--- ')[0].count(b'\n-> X25519 ') == ciphertext['stanzas']['count'] == len(statement['readers']), 'one stanza a reader')
        secrets[name] = statement['version']
    if entry['op'] == 'secret.open':
        must(all(digest in newest.values() for digest in body['statements']), 'the statement digests of an opening')

print(json.dumps({'vault': vault, 'size': size, 'root': root.hex(), 'ops': ops, 'secrets': secrets, 'lastEntry': digest}))
