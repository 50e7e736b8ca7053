using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MSOnlineBackup.Testing;
using NSec.Cryptography;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>
/// A reader of vaults that was written from <c>docs/vault-format.md</c> alone: it uses nothing of the engine, only the base
/// library, and XXH3 and Argon2id from their makers. Simple before fast: it holds the index and every chunk that it has opened in memory. What breaks the document's rules is an
/// <see cref="InvalidDataException"/>.
/// </summary>
internal sealed class IndependentReader
{
    private readonly string _folder;
    private readonly string _store;
    private readonly JsonElement _header;
    private readonly Dictionary<string, byte[]> _opened = [];
    private readonly Dictionary<string, List<(string Pack, byte[] Salt, byte Epoch, byte PackKind, int Offset, uint Ordinal, byte[] Record)>> _index = [];

    public IndependentReader(string folder, string passphrase)
    {
        _folder = folder;
        _header = CheckedJson(ReadObject("vault.json"));
        Require(_header.GetProperty("format").GetInt32() == 1, "unknown format");
        string vault = _header.GetProperty("vaultId").GetString()!;
        (_store, SortedDictionary<byte, byte[]> masters) = Unlock(vault, passphrase);
        Keys = new IndependentKeys(masters, Convert.FromHexString(vault), Convert.FromHexString(_store));
        foreach (string segment in List($"stores/{_store}/index"))
        {
            ReadSegment(OpenSealed(Keys, segment, ReadObject(segment), 1));
        }
    }

    public IndependentKeys Keys { get; }

    /// <summary>The recovery points that are not deleted, oldest first.</summary>
    public IEnumerable<JsonElement> Points() => List($"stores/{_store}/points")
        .OrderBy(name => name.Split('/')[^1], StringComparer.Ordinal)
        .Select(name => (Name: name, Content: ReadObject(name)))
        .Where(point => point.Content[5] != 4 && !IsDeleted(point.Name))
        .Select(point => Json(OpenSealed(Keys, point.Name, point.Content, 2)));

    // Section 12: the highest number says what holds.
    private bool IsDeleted(string point)
    {
        string series = point.Replace("/points/", "/deleted/", StringComparison.Ordinal) + "-";
        return List($"stores/{_store}/deleted").Where(name => name.StartsWith(series, StringComparison.Ordinal)).Max(StringComparer.Ordinal) is { } last
            && Json(OpenSealed(Keys, last, ReadObject(last), 6)).GetProperty("state").GetString() is "deleted" or "gone";
    }

    /// <summary>The entries of one source of a point, in order.</summary>
    public List<IndependentEntry> Entries(JsonElement source)
    {
        JsonElement root = source.GetProperty("manifest");
        var entries = new List<IndependentEntry>();
        ReadBlock(Convert.FromHexString(root.GetProperty("id").GetString()!), root.GetProperty("depth").GetInt32(), entries);
        Require(
            entries.Count == root.GetProperty("entries").GetInt64()
                && entries.Count(entry => entry.Kind == 1) == root.GetProperty("files").GetInt64()
                && entries.Count(entry => entry.Kind == 2) == root.GetProperty("directories").GetInt64()
                && entries.Sum(entry => entry.Size) == root.GetProperty("bytes").GetInt64(),
            "totals");
        return entries;
    }

    /// <summary>The bytes of a file.</summary>
    public byte[] Content(IndependentEntry entry)
    {
        byte[] content = Content(entry.Slices);
        Require(content.Length == entry.Size, "size");
        return content;
    }

    private byte[] Content(List<(byte[]? Chunk, int Offset, long Length)> slices)
    {
        using var content = new MemoryStream();
        foreach ((byte[]? chunk, int offset, long length) in slices)
        {
            content.Write(chunk is null ? new byte[length] : ReadChunk(1, chunk).AsSpan(offset, (int)length));
        }

        return content.ToArray();
    }

    /// <summary>The items that were skipped, in order.</summary>
    public IEnumerable<JsonElement> SkippedItems(JsonElement point) => point.TryGetProperty("skippedItems", out JsonElement ids)
        ? ids.EnumerateArray()
            .SelectMany(id => Encoding.UTF8.GetString(ReadChunk(5, Convert.FromHexString(id.GetString()!))).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            .Select(line => Json(Encoding.UTF8.GetBytes(line)))
        : [];

    /// <summary>Settings, vault records and machine records, each with its proof checked: names and bodies, by name.</summary>
    public IEnumerable<(string Name, JsonElement Body)> Records()
    {
        string vault = _header.GetProperty("vaultId").GetString()!;
        byte[] owner = _header.GetProperty("owner").GetBytesFromBase64();
        return [
            .. List("machines").Order(StringComparer.Ordinal).Select(name => (name, Json(CheckCode(Keys, vault, name, ReadObject(name))))),
            .. List("records").Concat(List("settings")).Where(name => !name.EndsWith(".copy", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(name => (name, Json(CheckSignature(owner, vault, name, ReadObject(name))))),
        ];
    }

    /// <summary>Section 10: a path as text.</summary>
    public static string PathText(ReadOnlySpan<byte> path)
    {
        var text = new StringBuilder();
        while (!path.IsEmpty)
        {
            bool isText = Rune.DecodeFromUtf8(path, out Rune rune, out int length) == System.Buffers.OperationStatus.Done && !Rune.IsControl(rune);
            text.Append(!isText ? string.Concat(path[..length].ToArray().Select(letter => $@"\x{letter:x2}")) : rune.Value == '\\' ? @"\\" : rune.ToString());
            path = path[length..];
        }

        return text.ToString();
    }

    /// <summary>Every pack of the store as it is.</summary>
    public IEnumerable<byte[]> Packs() => List($"stores/{_store}/packs").Select(ReadObject);

    /// <summary>Opens a chunk, and names it anew.</summary>
    public byte[] ReadChunk(byte kind, byte[] id)
    {
        string text = $"{kind}/{Convert.ToHexStringLower(id)}";
        return _opened.TryGetValue(text, out byte[]? opened) ? opened : _opened[text] = OpenChunk(kind, id);
    }

    private byte[] OpenChunk(byte kind, byte[] id)
    {
        (string pack, byte[] salt, byte epoch, byte packKind, int offset, uint ordinal, byte[] record) = _index[Convert.ToHexStringLower(id)][0];
        Require(record[32] == kind, "chunk kind");
        int sealedLength = (int)BinaryPrimitives.ReadUInt32LittleEndian(record.AsSpan(38));
        byte[] plaintext = OpenChunk(Keys, Keys.PackKey(salt, epoch), packKind, ordinal, record, ReadObject(pack).AsSpan(offset, sealedLength));
        Require(HMACSHA256.HashData(Keys.Derive($"identity/{kind}", 32), plaintext).AsSpan().SequenceEqual(id), "chunk id");
        return plaintext;
    }

    /// <summary>Opens a pack by its footer alone: records and plaintexts.</summary>
    public static List<(byte[] Record, byte[] Plaintext)> ReadPack(IndependentKeys keys, byte[] pack)
    {
        Require(
            pack.Length is >= 40 + 20 + 20 and <= 64 << 20 && pack.AsSpan(0, 5).SequenceEqual("OBPK\x01"u8) && pack[5] is 1 or 2 && pack[6] == 0 && keys.Masters.ContainsKey(pack[7]),
            "pack header");
        Require(pack.AsSpan(pack.Length - 16).SequenceEqual(XxHash128.Hash(pack.AsSpan(0, pack.Length - 16))), "pack's checksum");
        byte[] salt = pack[8..40];
        int footer = (int)BinaryPrimitives.ReadUInt32LittleEndian(pack.AsSpan(pack.Length - 20));
        int footerAt = pack.Length - 20 - footer;
        Require(footer >= 20 && footerAt >= 40, "footer length");
        byte[] records = IndependentKeys.Open(keys.PackKey(salt, pack[7]), Nonce(uint.MaxValue), pack.AsSpan(footerAt, footer), [.. keys.Context, .. pack[..40]]);
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(records);
        Require(4 + (count * 42L) <= records.Length, "number of records");
        var chunks = new List<(byte[], byte[])>();
        int at = 40;
        for (uint i = 0; i < count; i++)
        {
            byte[] record = records[(int)(4 + (i * 42))..(int)(4 + ((i + 1) * 42))];
            int sealedLength = (int)BinaryPrimitives.ReadUInt32LittleEndian(record.AsSpan(38));
            Require(sealedLength >= 16 && sealedLength <= footerAt - at, "record");
            chunks.Add((record, OpenChunk(keys, keys.PackKey(salt, pack[7]), pack[5], i, record, pack.AsSpan(at, sealedLength))));
            at += sealedLength;
        }

        return chunks;
    }

    /// <summary>Opens a sealed object of the kind that belongs to its name.</summary>
    public static byte[] OpenSealed(IndependentKeys keys, string name, byte[] content, byte kind)
    {
        Require(content.Length >= 40 + 20 + 16 && content.AsSpan(content.Length - 16).SequenceEqual(XxHash128.Hash(content.AsSpan(0, content.Length - 16))), "checksum");
        Require(content.AsSpan(0, 5).SequenceEqual("OBSO\x01"u8) && content[5] == kind && content[6] == 0 && keys.Masters.ContainsKey(content[7]), "sealed object's header");
        byte[] associated = [.. content[..40], .. keys.Context, .. Encoding.ASCII.GetBytes(name)];
        byte[] opened = IndependentKeys.Open(keys.ObjectKey(content[8..40], content[7]), new byte[12], content.AsSpan(40, content.Length - 40 - 16), associated);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(opened);
        Require(length <= opened.Length - 4, "sealed object's length");
        return opened[4..(int)(4 + length)];
    }

    /// <summary>Section 1: JSON that is as it was written.</summary>
    public static JsonElement CheckedJson(byte[] content)
    {
        Require(content.Length > 79 && content[^79..^66].AsSpan().SequenceEqual(",\"checksum\":\""u8) && content[^1] == (byte)'}', "no checksum");
        JsonElement json = Json(content);
        Require(Convert.ToHexStringLower(SHA256.HashData(content[..^79])) == json.GetProperty("checksum").GetString(), "checksum");
        return json;
    }

    /// <summary>A record of the vault's owner (section 4): its body, once the signature has been checked.</summary>
    public static byte[] CheckSignature(byte[] owner, string vaultId, string name, byte[] record)
    {
        (byte[] body, byte[] proof) = Split(record);
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(owner, out _);
        Require(proof.Length == 64 && key.VerifyData(Covered(vaultId, name, body), proof, HashAlgorithmName.SHA256), "signature");
        return body;
    }

    /// <summary>A record of a machine (section 4): its body, once the code has been checked.</summary>
    public static byte[] CheckCode(IndependentKeys keys, string vaultId, string name, byte[] record)
    {
        (byte[] body, byte[] proof) = Split(record);
        Require(proof.AsSpan().SequenceEqual(HMACSHA256.HashData(keys.Derive("machines", 32), Covered(vaultId, name, body))), "code");
        return body;
    }

    private static (byte[] Body, byte[] Proof) Split(byte[] record)
    {
        int end = Array.LastIndexOf(record, (byte)0x0a, record.Length - 2);
        Require(record[^1] == 0x0a && end > 0, "envelope");
        return (record[..end], Convert.FromBase64String(Encoding.ASCII.GetString(record[(end + 1)..^1])));
    }

    private static byte[] Covered(string vaultId, string name, byte[] body) =>
        [.. Encoding.ASCII.GetBytes($"MSOnlineBackup record\n1\n{vaultId}\n{name}\n"), .. body];

    /// <summary>Section 5.1: the master key of a slot; null where the passphrase is wrong.</summary>
    public static byte[]? OpenSlot(byte[] slot, string identity, string passphrase)
    {
        JsonElement json = ReadSlot(slot, identity, "passphrase");
        string kdf = json.GetProperty("kdf").GetString()!;
        byte[] salt = json.GetProperty("salt").GetBytesFromBase64();
        byte[] secret = Encoding.ASCII.GetBytes(passphrase);
        byte[] derived;
        if (kdf == "argon2id")
        {
            int memory = json.GetProperty("memoryKiB").GetInt32();
            int passes = json.GetProperty("passes").GetInt32();
            Require(salt.Length == 16 && memory is >= 8 and <= 1 << 20 && passes > 0 && (long)memory * passes <= 1 << 22, "limits of Argon2id");
            derived = PasswordBasedKeyDerivationAlgorithm.Argon2id(new Argon2Parameters { DegreeOfParallelism = 1, MemorySize = memory, NumberOfPasses = passes })
                .DeriveBytes(secret, salt, 64);
        }
        else
        {
            int iterations = json.GetProperty("iterations").GetInt32();
            Require(kdf == "pbkdf2-hmac-sha512" && salt.Length == 32 && iterations is > 0 and <= 1 << 22, "unknown key slot, or limits of PBKDF2");
            derived = Rfc2898DeriveBytes.Pbkdf2(secret, salt, iterations, HashAlgorithmName.SHA512, 64);
        }

        return derived[32..48].AsSpan().SequenceEqual(json.GetProperty("verifier").GetBytesFromBase64())
            ? Unwrap(json, identity, derived[..32], kdf == "argon2id" ? [kdf, Text(json, "memoryKiB"), Text(json, "passes")] : [kdf, Text(json, "iterations")])
            : null;
    }

    /// <summary>Section 5.1, of a slot that a Key Vault key opens: in the place of the Key Vault stands the key itself.</summary>
    public static byte[] OpenSlot(byte[] slot, string identity, RSA key)
    {
        JsonElement json = ReadSlot(slot, identity, "azure-key-vault");
        Require(Text(json, "algorithm") == "rsa-oaep-256", "unknown key slot");
        byte[] slotKey = key.Decrypt(json.GetProperty("encryptedKey").GetBytesFromBase64(), RSAEncryptionPadding.OaepSHA256);
        return Unwrap(json, identity, slotKey, ["rsa-oaep-256", Text(json, "key")]);
    }

    private static JsonElement ReadSlot(byte[] slot, string identity, string kind)
    {
        JsonElement json = CheckedJson(slot);
        Require(Text(json, "format") == "1" && Text(json, "kind") == kind, "unknown key slot");
        Require($"{Text(json, "vaultId")}/{Text(json, "store")}/{Text(json, "slot")}" == identity, "key slot of another place");
        return json;
    }

    private static byte[] Unwrap(JsonElement json, string identity, byte[] slotKey, string[] method)
    {
        using var bound = new MemoryStream();
        string[] fields =
            ["MSOnlineBackup key slot", "1", .. identity.Split('/'), Text(json, "epoch") is { Length: > 0 } epoch ? epoch : "0", Text(json, "kind"), .. method, Text(json, "created"), Text(json, "label")];
        foreach (string field in fields)
        {
            byte[] text = Encoding.UTF8.GetBytes(field);
            bound.Write([(byte)text.Length, (byte)(text.Length >> 8), 0, 0]);
            bound.Write(text);
        }

        byte[] master = IndependentKeys.Open(slotKey, new byte[12], json.GetProperty("wrapped").GetBytesFromBase64(), bound.ToArray());
        byte[] proof = HKDF.Expand(HashAlgorithmName.SHA256, master, 16, Encoding.ASCII.GetBytes("MSOnlineBackup/1/slot" + identity));
        Require(proof.AsSpan().SequenceEqual(json.GetProperty("proof").GetBytesFromBase64()), "key slot's proof");
        return master;
    }

    private static string Text(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) ? value.ToString() : string.Empty;

    private static byte[] OpenChunk(IndependentKeys keys, byte[] packKey, byte packKind, uint ordinal, byte[] record, ReadOnlySpan<byte> sealedBytes)
    {
        byte[] associated = [.. keys.Context, 1, packKind, .. Nonce(ordinal)[..4], .. record];
        byte[] encoded = IndependentKeys.Open(packKey, Nonce(ordinal), sealedBytes, associated);
        byte[] plaintext = new byte[BinaryPrimitives.ReadUInt32LittleEndian(record.AsSpan(34))];
        Require(plaintext.Length <= 4 << 20, "raw length");
        switch (record[33])
        {
            case 0:
                Require(encoded.Length == plaintext.Length, "raw length");
                return encoded;
            case 1:
                byte[]? content = ZstandardProgram.TryDecode(encoded);
                Require(content?.Length == plaintext.Length, "Zstandard");
                return content!;
            default:
                throw new InvalidDataException("encoding");
        }
    }

    // Sections 5.1 and 5.4: of the slots that open, one that the order names; and of these the one of the highest epoch that is in force.
    private (string Store, SortedDictionary<byte, byte[]> Masters) Unlock(string vault, string passphrase)
    {
        (string Store, SortedDictionary<byte, byte[]> Masters)? best = null;
        HashSet<string> named = ReadOrder(vault);
        foreach (string name in List("keys").OrderByDescending(named.Contains))
        {
            string[] parts = name.Split('/');
            if (parts.Length == 3 && parts[1] != "order" && !parts[2].Contains('.', StringComparison.Ordinal) && (best is null || best.Value.Store == parts[1])
                && OpenSlot(ReadObject(name), $"{vault}/{parts[1]}/{parts[2]}", passphrase) is { } master
                && ReadEpoch(vault, parts[1], Text(CheckedJson(ReadObject(name)), "epoch") is { Length: > 0 } epoch ? byte.Parse(epoch, CultureInfo.InvariantCulture) : (byte)0, master) is { } masters
                && (best is null || masters.Count > best.Value.Masters.Count))
            {
                best = (parts[1], masters);
            }
        }

        return best ?? throw new InvalidDataException("No key slot opens.");
    }

    // Section 5.4: the names of the slots that are named.
    private HashSet<string> ReadOrder(string vault)
    {
        var named = new HashSet<string>();
        for (uint number = 1; List("keys").Contains($"keys/order/{number:x8}"); number++)
        {
            JsonElement record = CheckedJson(ReadObject($"keys/order/{number:x8}"));
            Require(record.GetProperty("format").GetInt32() == 1 && Text(record, "vaultId") == vault, "order of passphrases");
            named.Add($"keys/{Text(record, "store")}/{Text(record, "slot")}");
        }

        return named;
    }

    // Section 5.3: the master keys up to one; null where that never came into force.
    private SortedDictionary<byte, byte[]>? ReadEpoch(string vault, string store, byte epoch, byte[] master)
    {
        var masters = new SortedDictionary<byte, byte[]> { [epoch] = master };
        if (epoch == 0)
        {
            return masters;
        }

        string name = $"keys/{store}/epochs/{epoch:x8}";
        if (!List("keys").Contains(name))
        {
            return null;
        }

        byte[] content;
        try
        {
            content = OpenSealed(new IndependentKeys(masters, Convert.FromHexString(vault), Convert.FromHexString(store)), name, ReadObject(name), 9);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }

        Require(BinaryPrimitives.ReadUInt32LittleEndian(content) == 1 && content.Length == 4 + (epoch * 33), "record of a master key");
        for (byte number = 0; number < epoch; number++)
        {
            int at = 4 + (number * 33);
            Require(content[at] == number, "order of master keys");
            masters[number] = content[(at + 1)..(at + 33)];
        }

        return masters;
    }

    private void ReadSegment(byte[] segment)
    {
        uint U32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(segment.AsSpan(at));
        Require(U32(0) == 1 && U32(12) == 0 && segment.Length == 16L + (U32(4) * 64L) + (U32(8) * 56L), "index segment");
        int records = 16 + (int)(U32(4) * 64);
        for (int at = records; at < segment.Length; at += 56)
        {
            Require(U32(at + 32) < U32(4), "index record");
            int pack = 16 + ((int)U32(at + 32) * 64);
            uint number = U32(pack + 16);
            string name = string.Create(
                CultureInfo.InvariantCulture,
                $"stores/{_store}/packs/{number & 0xff:x2}/{Convert.ToHexStringLower(segment.AsSpan(pack, 16))}-{number:x8}");

            // A footer's record of the same chunk: id, kind, encoding, raw length, sealed length.
            byte[] record = [.. segment[at..(at + 32)], segment[at + 52], segment[at + 53], .. segment[(at + 44)..(at + 48)], .. segment[(at + 40)..(at + 44)]];
            string id = Convert.ToHexStringLower(segment.AsSpan(at, 32));
            if (!_index.TryGetValue(id, out var copies))
            {
                _index[id] = copies = [];
            }

            copies.Add((name, segment[(pack + 32)..(pack + 64)], segment[pack + 26], segment[pack + 24], (int)U32(at + 36), U32(at + 48), record));
        }
    }

    private void ReadBlock(byte[] id, int level, List<IndependentEntry> entries)
    {
        byte[] block = ReadChunk((byte)(level == 0 ? 2 : 3), id);
        if (level == 0)
        {
            entries.AddRange(DecodeLeaf(block, list => ReadChunk(4, list)));
            return;
        }

        foreach ((byte[] path, byte[] child, ulong[] totals) in DecodeNode(block, level))
        {
            int first = entries.Count;
            ReadBlock(child, level - 1, entries);
            Require(entries[first].Path.AsSpan().SequenceEqual(path) && (ulong)(entries.Count - first) == totals[0], "child");
        }
    }

    /// <summary>A node, as section 11.4 has it: first path, block and totals of each child.</summary>
    public static List<(byte[] Path, byte[] Id, ulong[] Totals)> DecodeNode(byte[] content, int level)
    {
        var block = new Cursor(content);
        Require(block.Byte() == 1 && block.Byte() == level, "node");
        var children = new List<(byte[] Path, byte[] Id, ulong[] Totals)>();
        byte[] path = [];
        while (!block.AtEnd)
        {
            path = block.Path(path);
            children.Add((path, block.Bytes(32), [block.Varint(), block.Varint(), block.Varint(), block.Varint()]));
        }

        return children;
    }

    /// <summary>A slice list, as section 11.5 has it.</summary>
    public static List<(byte[]? Chunk, int Offset, long Length)> DecodeSliceList(byte[] content, long covered)
    {
        var list = new Cursor(content);
        Require(list.Byte() == 1, "slice list");
        var slices = new List<(byte[]? Chunk, int Offset, long Length)>();
        for (var listed = new List<(byte[] Id, long End)>(); !list.AtEnd; covered -= slices[^1].Length)
        {
            slices.Add(list.Slice(listed));
        }

        Require(covered == 0, "slice list's length");
        return slices;
    }

    /// <summary>The value of a long stream, as section 11.3 has it: its slice lists, and how much each covers.</summary>
    public static List<(byte[] Id, long Length)> DecodeLongStream(byte[] value)
    {
        var block = new Cursor(value);
        var lists = new List<(byte[] Id, long Length)>();
        for (ulong left = block.Varint(); left > 0; left--)
        {
            lists.Add((block.Bytes(32), (long)block.Varint()));
        }

        Require(block.AtEnd && lists.Count > 0 && lists.TrueForAll(list => list.Length > 0), "long stream");
        return lists;
    }

    /// <summary>The bytes of a long stream.</summary>
    public byte[] LongStream(byte[] value) => Content(
        [.. DecodeLongStream(value).SelectMany(list => DecodeSliceList(ReadChunk(4, list.Id), list.Length))]);

    /// <summary>A leaf, as section 11.3 has it.</summary>
    public static List<IndependentEntry> DecodeLeaf(byte[] content, Func<byte[], byte[]> readList)
    {
        var entries = new List<IndependentEntry>();
        var block = new Cursor(content);
        Require(block.Byte() == 1, "leaf");
        byte[] path = [];
        ulong mode = 0, user = 0, group = 0, device = 0;
        long file = 0;
        (long Seconds, long Nanoseconds) modified = default, changed = default;
        var chunks = new List<(byte[] Id, long End)>();
        while (!block.AtEnd)
        {
            path = block.Path(path);
            ulong head = block.Varint();
            ulong fields = block.Varint();
            bool Has(int bit) => (fields & (1UL << bit)) != 0;
            mode = Has(0) ? block.Varint() : mode;
            modified = Has(1) ? block.Time(modified) : modified;
            changed = Has(2) ? block.Time(changed) : modified;
            (long Seconds, long Nanoseconds)? created = Has(3) ? block.Time(changed) : null;
            file = Has(4) ? block.Delta(file) : file;
            List<(byte[]? Chunk, int Offset, long Length)> slices = Has(5) ? ReadContent(block, chunks, readList) : [];
            var attributes = new List<(byte Tag, byte[] Name, byte[] Value)>();
            for (ulong left = Has(6) ? block.Varint() : 0; left > 0; left--)
            {
                attributes.Add((block.Byte(), block.Counted(), block.Counted()));
            }

            user = Has(7) ? block.Varint() : user;
            group = Has(8) ? block.Varint() : group;
            ulong links = Has(9) ? block.Varint() : 1;
            device = Has(10) ? block.Varint() : device;
            ulong deviceNumber = Has(11) ? block.Varint() : 0;
            byte[] target = Has(12) ? block.Counted() : [];
            long size = Has(13) ? (long)block.Varint() : slices.Sum(slice => slice.Length);
            int kind = (int)(head % 32);
            Require(kind != 0, "entry");
            var unknown = new List<(int Bit, byte[] Value)>();
            for (int bit = 14; bit < 64; bit++)
            {
                if (Has(bit))
                {
                    unknown.Add((bit, block.Counted()));
                }
            }

            entries.Add(new IndependentEntry(
                path, kind, (uint)(head / 32), (int)mode, user, group, modified, changed, created, (ulong)file, (int)links, device, deviceNumber, size, slices, target, attributes, unknown, kind <= 7 && fields >> 32 == 0));
        }

        return entries;
    }

    private static List<(byte[]? Chunk, int Offset, long Length)> ReadContent(Cursor block, List<(byte[] Id, long End)> chunks, Func<byte[], byte[]> readList)
    {
        ulong head = block.Varint();
        var slices = new List<(byte[]?, int, long)>();
        for (ulong left = head >> 1; left > 0; left--)
        {
            if ((head & 1) == 0)
            {
                slices.Add(block.Slice(chunks));
                continue;
            }

            byte[] list = readList(block.Bytes(32));
            slices.AddRange(DecodeSliceList(list, (long)block.Varint()));
        }

        return slices;
    }

    private IEnumerable<string> List(string prefix)
    {
        string folder = Path.Combine(_folder, prefix);
        return Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(_folder, file).Replace('\\', '/'))
            : [];
    }

    private byte[] ReadObject(string name) => File.ReadAllBytes(Path.Combine(_folder, name));

    private static JsonElement Json(byte[] content) => JsonDocument.Parse(content).RootElement;

    private static byte[] Nonce(uint ordinal)
    {
        byte[] nonce = new byte[12];
        BinaryPrimitives.WriteUInt32LittleEndian(nonce, ordinal);
        return nonce;
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidDataException($"The vault breaks a rule of the format: {what}.");
        }
    }

    /// <summary>The primitives of sections 11.1, 11.2 and 11.3.</summary>
    private sealed class Cursor(byte[] block)
    {
        private int _at;

        public bool AtEnd => _at == block.Length;

        public byte Byte() => block[_at++];

        public byte[] Bytes(int count) => block[_at..(_at += count)];

        public byte[] Counted() => Bytes((int)Varint());

        public byte[] Path(byte[] before) => [.. before[..(int)Varint()], .. Counted()];

        public ulong Varint()
        {
            ulong value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte next = Byte();
                value |= (ulong)(next & 0x7f) << shift;
                if (next < 0x80)
                {
                    return value;
                }
            }
        }

        public long Delta(long reference)
        {
            ulong zigzag = Varint();
            return unchecked(reference + ((long)(zigzag >> 1) ^ -(long)(zigzag & 1)));
        }

        public (long Seconds, long Nanoseconds) Time((long Seconds, long Nanoseconds) reference)
        {
            (long Seconds, long Nanoseconds) time = (Delta(reference.Seconds), Delta(reference.Nanoseconds));
            Require(time.Nanoseconds is >= 0 and < 1_000_000_000, "time");
            return time;
        }

        public (byte[]? Chunk, int Offset, long Length) Slice(List<(byte[] Id, long End)> chunks)
        {
            ulong head = Varint();
            if (head == 0)
            {
                return (null, 0, (long)Varint());
            }

            int reference = (int)(head >> 1);
            if (reference == 1)
            {
                chunks.Add((Bytes(32), 0));
            }

            int index = chunks.Count - 1 - (reference == 1 ? 0 : reference - 2);
            (byte[] id, long end) = chunks[index];
            long offset = (head & 1) != 0 ? end : (long)Varint();
            long length = (long)Varint();
            chunks[index] = (id, offset + length);
            return (id, (int)offset, length);
        }
    }
}

/// <summary>An entry as the independent reader sees it.</summary>
internal sealed record IndependentEntry(
    byte[] Path,
    int Kind,
    uint Flags,
    int Mode,
    ulong UserId,
    ulong GroupId,
    (long Seconds, long Nanoseconds) Modified,
    (long Seconds, long Nanoseconds) Changed,
    (long Seconds, long Nanoseconds)? Created,
    ulong FileId,
    int Links,
    ulong DeviceId,
    ulong DeviceNumber,
    long Size,
    List<(byte[]? Chunk, int Offset, long Length)> Slices,
    byte[] LinkTarget,
    List<(byte Tag, byte[] Name, byte[] Value)> Attributes,
    List<(int Bit, byte[] Value)> Unknown,
    bool IsRestorable);

/// <summary>The key hierarchy of section 5.2.</summary>
internal sealed class IndependentKeys(SortedDictionary<byte, byte[]> masters, byte[] vault, byte[] store)
{
    public IndependentKeys(byte[] master, byte[] vault, byte[] store)
        : this(new SortedDictionary<byte, byte[]> { [0] = master }, vault, store)
    {
    }

    public SortedDictionary<byte, byte[]> Masters => masters;

    public byte[] Context { get; } = [.. vault, .. store];

    public byte[] Derive(string purpose, int length) => Derive(masters.First().Value, purpose, length);

    public byte[] PackKey(byte[] salt, byte epoch = 0) => HKDF.Expand(HashAlgorithmName.SHA256, Derive(masters[epoch], "packs", 32), 32, salt);

    public byte[] ObjectKey(byte[] salt, byte epoch = 0) => HKDF.Expand(HashAlgorithmName.SHA256, Derive(masters[epoch], "objects", 32), 32, salt);

    private byte[] Derive(byte[] master, string purpose, int length) =>
        HKDF.Expand(HashAlgorithmName.SHA256, master, length, [.. Encoding.ASCII.GetBytes("MSOnlineBackup/1/" + purpose), .. Context]);

    public static byte[] Seal(byte[] key, byte[] nonce, byte[] plaintext, byte[] associated)
    {
        byte[] result = new byte[plaintext.Length + 16];
        using var aes = new AesGcm(key, 16);
        aes.Encrypt(nonce, plaintext, result.AsSpan(0, plaintext.Length), result.AsSpan(plaintext.Length), associated);
        return result;
    }

    public static byte[] Open(byte[] key, byte[] nonce, ReadOnlySpan<byte> sealedBytes, byte[] associated)
    {
        byte[] plaintext = new byte[sealedBytes.Length - 16];
        using var aes = new AesGcm(key, 16);
        aes.Decrypt(nonce, sealedBytes[..^16], sealedBytes[^16..], plaintext, associated);
        return plaintext;
    }
}
