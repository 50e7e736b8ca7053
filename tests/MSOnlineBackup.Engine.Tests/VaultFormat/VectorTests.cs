using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Engine.Chunking;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>The test vectors of <c>docs/vault-format.md</c> against the engine, and against code that knows only the document.</summary>
public sealed class VectorTests : IDisposable
{
    private static readonly byte[] _master = FormatDocument.Hex("keys", "master");
    private static readonly byte[] _vault = FormatDocument.Hex("keys", "vault");
    private static readonly byte[] _store = FormatDocument.Hex("keys", "store");

    private readonly StoreKeys _keys = new(_master, _vault, new StoreId(_store));
    private readonly IndependentKeys _independent = new(_master, _vault, _store);

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void The_record_of_a_master_key_is_as_the_document_says()
    {
        byte[] newest = FormatDocument.Hex("key-epoch", "master");
        byte[] content = FormatDocument.Hex("key-epoch", "content");
        byte[] stored = FormatDocument.Hex("key-epoch", "object");
        string name = FormatDocument.Quoted("key-epoch", "name");
        var ofNewest = new IndependentKeys(newest, _vault, _store);
        Assert.Equal(FormatDocument.Raw("key-epoch", "packs"), Hex(ofNewest.Derive("packs", 32)));
        Assert.Equal(FormatDocument.Raw("key-epoch", "objects"), Hex(ofNewest.Derive("objects", 32)));
        Assert.Equal(VaultLayout.KeyEpoch(new StoreId(_store), 1)[0], name);

        var masters = new SortedDictionary<byte, byte[]> { [0] = _master, [1] = newest };
        using var keys = new StoreKeys(masters, _vault, new StoreId(_store));
        Assert.Equal(content, SealedObject.Open(keys, name, stored, out SealedObjectKind kind).ToArray());
        Assert.Equal(SealedObjectKind.KeyEpoch, kind);
        Assert.Equal(content, IndependentReader.OpenSealed(new IndependentKeys(masters, _vault, _store), name, stored, 9));
        Assert.Equal(content, KeyEpochs.Encode(new Dictionary<byte, byte[]> { [0] = _master }));
        Assert.Equal(_master, Assert.Single(KeyEpochs.Decode(name, content, 1)).Value);
        Assert.Equal(1, SealedObject.Seal(keys, SealedObjectKind.KeyEpoch, name, content)[7]);
        Assert.Equal(stored[..8], SealedObject.Seal(keys, SealedObjectKind.KeyEpoch, name, content)[..8]);
        Assert.Equal(FormatDocument.Raw("keys", "identity/1"), Hex(keys.IdentityKey(1)));
    }

    [Fact]
    public void A_record_of_the_order_of_passphrases_is_as_the_document_says()
    {
        string record = FormatDocument.Raw("key-order", "record");
        var slot = new KeyName(StoreId.Parse(Hex(_store)), FormatDocument.Raw("key-slot", "key id"), 0);

        Assert.Equal(record, Encoding.UTF8.GetString(KeyOrder.Encode(Hex(_vault), slot)));
        Assert.Equal(slot, KeyOrder.Decode(Hex(_vault), Encoding.UTF8.GetBytes(record)));
        Assert.Null(KeyOrder.Decode(Hex(_store), Encoding.UTF8.GetBytes(record)));
        Assert.Equal(FormatDocument.Raw("key-slot", "key id"), IndependentReader.CheckedJson(Encoding.UTF8.GetBytes(record)).GetProperty("slot").GetString());
        Assert.Equal(["keys/order/00000001", "keys/order/00000001.copy"], VaultLayout.KeyOrder(1));
    }

    [Fact]
    public void Keys_are_derived_as_the_document_says()
    {
        Assert.Equal(FormatDocument.Raw("keys", "bundles"), Hex(_keys.BundleBoundaryKey.Span));
        Assert.Equal(FormatDocument.Raw("keys", "manifest"), Hex(_keys.ManifestBoundaryKey.Span));
        foreach (ChunkKind kind in Enum.GetValues<ChunkKind>())
        {
            Assert.Equal(FormatDocument.Raw("keys", $"identity/{(byte)kind}"), Hex(_keys.IdentityKey((byte)kind)));
        }

        Assert.Equal(FormatDocument.Raw("pack", "key"), Hex(_keys.PackKey(FormatDocument.Hex("pack", "salt"))));
        Assert.Equal(FormatDocument.Raw("segment", "key"), Hex(_keys.ObjectKey(FormatDocument.Hex("segment", "salt"))));
        foreach (string purpose in (string[])["packs", "objects", "identity/1", "identity/5"])
        {
            Assert.Equal(FormatDocument.Raw("keys", purpose), Hex(_independent.Derive(purpose, 32)));
        }
    }

    [Fact]
    public void The_gear_table_is_that_of_the_document()
    {
        byte[] table = new byte[256 * sizeof(ulong)];
        for (int i = 0; i < 256; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(i * sizeof(ulong)), _keys.GearTable[i]);
        }

        Assert.Equal(FormatDocument.Raw("keys", "gear[0]"), Hex(table.AsSpan(0, 8)));
        Assert.Equal(FormatDocument.Raw("keys", "gear[1]"), Hex(table.AsSpan(8, 8)));
        Assert.Equal(FormatDocument.Raw("keys", "gear[255]"), Hex(table.AsSpan(2040, 8)));
        Assert.Equal(FormatDocument.Raw("keys", "SHA-256 of the gear table"), Hex(SHA256.HashData(table)));
    }

    [Fact]
    public void Chunks_and_machines_are_named_as_the_document_says()
    {
        var identity = new ChunkIdentity(_keys);
        byte[] plaintext = FormatDocument.Hex("names", "plaintext");
        var header = new VaultHeader { Format = 1, VaultId = Hex(_vault), Copy = Hex(_vault), Created = DateTimeOffset.UnixEpoch };

        Assert.Equal(FormatDocument.Raw("names", "id as Content"), identity.Compute(ChunkKind.Content, plaintext).ToString());
        Assert.Equal(FormatDocument.Raw("names", "id as ManifestLeaf"), identity.Compute(ChunkKind.ManifestLeaf, plaintext).ToString());
        Assert.Equal(FormatDocument.Raw("names", "machine id"), header.MachineId(FormatDocument.Quoted("names", "machine name")).ToString());
    }

    [Fact]
    public void The_header_and_the_record_of_a_session_are_as_the_document_says()
    {
        byte[] stored = Encoding.UTF8.GetBytes(FormatDocument.Raw("header", "vault.json"));
        VaultHeader header = VaultHeader.TryDecode(stored)!;

        Assert.Equal((Hex(_vault), "Office", 91), (header.VaultId, header.Name, header.Owner!.Length));
        Assert.Equal("e0e1e2e3e4e5e6e7e8e9eaebecedeeef", header.Copy);
        Assert.Equal(stored, CheckedJson.Encode(header, HeaderJson.Default.VaultHeader));
        Assert.Equal(Hex(_vault), IndependentReader.CheckedJson(stored).GetProperty("vaultId").GetString());

        stored = Encoding.UTF8.GetBytes(FormatDocument.Raw("header", "session record"));
        SessionRecord record = CheckedJson.TryDecode(stored, SessionJson.Default.SessionRecord)!;
        Assert.Equal((Hex(_vault), Hex(_store), FormatDocument.Raw("segment", "session")), (record.VaultId, record.StoreId.ToString(), record.SessionId.ToString()));
        Assert.Equal(FormatDocument.Raw("names", "machine id"), record.MachineId.ToString());
        Assert.Equal(stored, CheckedJson.Encode(record, SessionJson.Default.SessionRecord));
        Assert.Equal(Hex(_store), IndependentReader.CheckedJson(stored).GetProperty("store").GetString());
    }

    [Fact]
    public void Records_are_proved_as_the_document_says()
    {
        var owner = OwnerIdentity.TryParse(FormatDocument.Raw("records", "owner"))!;
        Assert.Equal(FormatDocument.Raw("records", "fingerprint"), owner.Fingerprint);
        Assert.Equal(FormatDocument.Raw("records", "machines"), Hex(_keys.MachinesKey()));
        Assert.Equal(FormatDocument.Raw("records", "machines"), Hex(_independent.Derive("machines", 32)));
        using OwnerKey key = OwnerKey.TryImport(FormatDocument.Hex("records", "private key"), owner)!;
        var header = new VaultHeader { Format = 1, VaultId = Hex(_vault), Copy = Hex(_vault), Created = DateTimeOffset.UnixEpoch, Owner = owner.Encode() };

        (string settings, byte[] signed) = Record("settings");
        Assert.Equal(7, OwnerRecord.TryOpen(header, settings, signed, RegisterJson.Default.VaultSettings)!.MachineLimit);
        Assert.NotNull(OwnerRecord.TryOpen(header, settings, RecordEnvelope.Sign(key, header.VaultId, settings, Body("settings")), RegisterJson.Default.VaultSettings));
        IndependentReader.CheckSignature(owner.Encode(), Hex(_vault), settings, signed);

        (string name, byte[] coded) = Record("machine");
        MachineRecord machine = MachineDirectory.TryOpen(header, name, coded, _keys)!;
        Assert.Equal((FormatDocument.Quoted("names", "machine name"), Hex(_store), owner.PublicKey), (machine.Name, machine.StoreId.ToString(), machine.Owner));
        Assert.Equal(coded, RecordEnvelope.Authenticate(_keys.MachinesKey(), header.VaultId, name, Body("machine")));
        IndependentReader.CheckCode(_independent, Hex(_vault), name, coded);

        static byte[] Body(string which) => Encoding.UTF8.GetBytes(FormatDocument.Raw("records", which + " body"));

        static (string Name, byte[] Record) Record(string which) => (
            FormatDocument.Quoted("records", which), [.. Body(which), (byte)'\n', .. Encoding.ASCII.GetBytes(FormatDocument.Raw("records", which + " proof")), (byte)'\n']);
    }

    [Theory]
    [InlineData("key-slot")]
    [InlineData("key-slot-pbkdf2")]
    public void The_key_slot_opens_with_its_passphrase_and_no_other(string vector)
    {
        byte[] stored = Encoding.UTF8.GetBytes(FormatDocument.Raw(vector, "slot"));
        string identity = $"{Hex(_vault)}/{Hex(_store)}/{FormatDocument.Raw(vector, "key id")}";
        string passphrase = FormatDocument.Quoted(vector, "passphrase");

        KeySlot slot = KeySlot.Decode(stored, new StoreId(_store), FormatDocument.Raw(vector, "key id"));

        Assert.Equal(FormatDocument.Raw(vector, "derived"), Hex(slot.Derivation!.Derive(passphrase, slot.Salt!)));
        Assert.Equal(FormatDocument.Raw(vector, "bound"), Hex(slot.Bound()));
        Assert.Equal(_master, slot.TryOpen(passphrase));
        Assert.Null(slot.TryOpen(passphrase + "!"));
        Assert.Equal(stored, slot.Encode());
        Assert.Equal(_master, IndependentReader.OpenSlot(stored, identity, passphrase));
        Assert.Null(IndependentReader.OpenSlot(stored, identity, passphrase + "!"));
    }

    [Fact]
    public async Task The_slot_of_a_Key_Vault_key_opens_with_that_key()
    {
        byte[] stored = Encoding.UTF8.GetBytes(FormatDocument.Raw("key-vault-slot", "slot"));
        string identity = $"{Hex(_vault)}/{Hex(_store)}/{FormatDocument.Raw("key-vault-slot", "key id")}";
        using var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(FormatDocument.Hex("key-vault-slot", "private key"), out _);
        var key = new RsaKey("https://backups.vault.azure.net/keys/wrapping", "0123456789abcdef0123456789abcdef", rsa);
        CancellationToken cancel = TestContext.Current.CancellationToken;

        KeySlot slot = KeySlot.Decode(stored, new StoreId(_store), FormatDocument.Raw("key-vault-slot", "key id"));

        Assert.True(slot.IsFor(key));
        Assert.True(slot.Proves(_master));
        Assert.Equal(FormatDocument.Raw("key-vault-slot", "bound"), Hex(slot.Bound()));
        Assert.Equal(_master, await slot.OpenAsync(key, cancel));
        Assert.Equal(_master, IndependentReader.OpenSlot(stored, identity, rsa));
        Assert.Equal(FormatDocument.Hex("key-vault-slot", "slot key"), await key.UnwrapAsync(new WrappedKey(slot.KeyVaultKey!, slot.EncryptedKey!), cancel));

        KeySlot made = await KeySlot.CreateAsync(key, _master, slot.Identity, "Schlüssel", DateTimeOffset.UnixEpoch, cancel);
        Assert.Equal(_master, IndependentReader.OpenSlot(made.Encode(), identity, rsa));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_new_key_slot_opens_for_the_independent_reader(bool argon)
    {
        string identity = $"{Hex(_vault)}/{Hex(_store)}/{FormatDocument.Raw("key-slot", "key id")}";
        const string Passphrase = "a passphrase with + / and \"quotes\"";

        byte[] stored = KeySlot.Create(
            Passphrase,
            _master,
            new KeySlotIdentity(Hex(_vault), new StoreId(_store), FormatDocument.Raw("key-slot", "key id")),
            argon ? PassphraseDerivation.ByArgon2id(64, 1) : PassphraseDerivation.ByPbkdf2(1000),
            "Schlüssel + \"x\"",
            DateTimeOffset.UnixEpoch).Encode();

        Assert.Equal(_master, IndependentReader.OpenSlot(stored, identity, Passphrase));
    }

    [Fact]
    public void The_pack_follows_from_the_rules_and_opens()
    {
        byte[] pack = FormatDocument.Hex("pack", "pack");
        byte[] salt = FormatDocument.Hex("pack", "salt");
        byte[] plaintext = FormatDocument.Hex("names", "plaintext");
        byte[] repeated = [.. Enumerable.Repeat((byte)'a', 1000)];
        byte[] records = FormatDocument.Hex("pack", "records");

        Assert.Equal(pack, SealPack(salt, records, FormatDocument.Hex("pack", "padding"), plaintext, FormatDocument.Hex("pack", "Zstandard")));
        Assert.Equal([plaintext, repeated], IndependentReader.ReadPack(_independent, pack).Select(chunk => chunk.Plaintext));

        int footerLength = PackReader.ReadFooterLength("vector", pack.Length, pack.AsSpan(pack.Length - PackFormat.TrailerLength));
        List<PackedChunk> chunks = PackReader.ReadFooter(
            _keys, "vector", pack.Length, pack.AsSpan(0, PackFormat.HeaderLength), pack.AsSpan(pack.Length - PackFormat.TrailerLength - footerLength, footerLength));
        using AesGcm aes = PackReader.OpenPack(_keys, salt, 0);
        byte[][] opened = [.. chunks.Select(chunk =>
        {
            byte[] destination = new byte[chunk.RawLength];
            Assert.True(PackReader.TryOpenChunk(
                _keys, aes, PackKind.Data, chunk, pack.AsSpan(chunk.Offset, chunk.StoredLength), new byte[chunk.StoredLength], destination));
            return destination;
        })];
        Assert.Equal([plaintext, repeated], opened);
        Assert.Equal([new ChunkIdentity(_keys).Compute(ChunkKind.Content, plaintext), new ChunkIdentity(_keys).Compute(ChunkKind.Content, repeated)], chunks.Select(chunk => chunk.Id));
    }

    [Fact]
    public void The_frame_gives_the_bytes_of_the_rules()
    {
        byte[] content = new byte[1000];

        Assert.True(ChunkCodec.TryDecode(ChunkEncoding.Zstandard, FormatDocument.Hex("pack", "Zstandard"), content));
        Assert.All(content, value => Assert.Equal((byte)'a', value));
    }

    [Fact]
    public void A_new_pack_opens_for_the_independent_reader()
    {
        var identity = new ChunkIdentity(_keys);
        byte[] plaintext = FormatDocument.Hex("names", "plaintext");
        using var builder = new PackBuilder(_keys, PackKind.Metadata, new byte[4096]);
        builder.Append(identity.Compute(ChunkKind.SliceList, plaintext), ChunkKind.SliceList, ChunkEncoding.Raw, plaintext.Length, plaintext);

        List<(byte[] Record, byte[] Plaintext)> chunks = IndependentReader.ReadPack(_independent, builder.Finish(isFull: false).ToArray());

        (byte[] record, byte[] opened) = Assert.Single(chunks);
        Assert.Equal(plaintext, opened);
        Assert.Equal(identity.Compute(ChunkKind.SliceList, plaintext).ToString(), Hex(record.AsSpan(0, 32)));
        Assert.Equal((byte)ChunkKind.SliceList, record[32]);
    }

    [Fact]
    public void The_index_segment_is_encoded_as_the_document_says()
    {
        byte[] pack = FormatDocument.Hex("pack", "pack");
        byte[] salt = FormatDocument.Hex("pack", "salt");
        byte[] segment = FormatDocument.Hex("segment", "segment");
        int footer = PackReader.ReadFooterLength("vector", pack.Length, pack.AsSpan(pack.Length - PackFormat.TrailerLength));
        List<PackedChunk> chunks = PackReader.ReadFooter(
            _keys, "vector", pack.Length, pack.AsSpan(0, PackFormat.HeaderLength), pack.AsSpan(pack.Length - PackFormat.TrailerLength - footer, footer));

        byte[] encoded = IndexSegment.Encode([(new PackInfo(SessionId.Parse(FormatDocument.Raw("segment", "session")), 1, PackKind.Data, pack.Length, salt), chunks)]);

        Assert.Equal(Hex(segment), Hex(encoded));
        var index = new ChunkIndex(epoch => epoch == 0);
        index.AddSegment("vector", segment, out _);
        Assert.True(index.TryFind(chunks[1].Id, out ChunkLocation found));
        Assert.Equal(chunks[1], found.Chunk);
        Assert.Equal(salt, found.Pack.Salt);
    }

    [Fact]
    public void The_sealed_object_follows_from_the_rules_and_opens_under_its_name_only()
    {
        string name = FormatDocument.Quoted("segment", "name");
        byte[] sealedObject = FormatDocument.Hex("segment", "object");
        byte[] segment = FormatDocument.Hex("segment", "segment");
        byte[] salt = FormatDocument.Hex("segment", "salt");

        byte[] header = [.. "OBSO"u8, 1, 1, 0, 0, .. salt];
        byte[] content = [.. U32((uint)segment.Length), .. segment, .. new byte[40]];
        byte[] body = [.. header, .. IndependentKeys.Seal(_independent.ObjectKey(salt), new byte[12], content, [.. header, .. _independent.Context, .. Encoding.ASCII.GetBytes(name)])];
        Assert.Equal(Hex(sealedObject), Hex([.. body, .. XxHash128.Hash(body)]));

        Assert.Equal(segment, SealedObject.Open(_keys, name, sealedObject, out SealedObjectKind kind).ToArray());
        Assert.Equal(SealedObjectKind.IndexSegment, kind);
        Assert.Throws<BackupException>(() => SealedObject.Open(_keys, name + "0", sealedObject, out _));
        Assert.Equal(segment, IndependentReader.OpenSealed(_independent, name, sealedObject, 1));
        Assert.Equal(segment, IndependentReader.OpenSealed(_independent, name, SealedObject.Seal(_keys, SealedObjectKind.IndexSegment, name, segment), 1));
    }

    [Fact]
    public void The_chunker_cuts_where_the_document_says()
    {
        byte[] data = new byte[16 << 20];
        for (uint i = 0; i < data.Length / 32; i++)
        {
            SHA256.HashData(U32(i), data.AsSpan((int)i * 32));
        }

        var chunker = new Chunker(_keys.GearTable);
        var lengths = new List<int>();
        for (int at = 0; at < data.Length; at += lengths[^1])
        {
            var scan = default(ChunkScan);
            int cut = chunker.FindCut(data.AsSpan(at), ref scan);
            lengths.Add(cut == 0 ? data.Length - at : cut);
        }

        Assert.Equal(FormatDocument.Raw("cuts", "lengths of the chunks").Split(", ").Select(text => int.Parse(text, CultureInfo.InvariantCulture)), lengths);
    }

    [Fact]
    public void The_hash_of_a_bundles_boundary_is_that_of_the_document()
    {
        byte[] file = FormatDocument.Hex("names", "plaintext");

        ulong hash = new SipHash(_keys.BundleBoundaryKey.Span).Hash([.. U32((uint)file.Length), .. file]);

        Assert.Equal(FormatDocument.Raw("cuts", "bundle hash"), hash.ToString("x16", CultureInfo.InvariantCulture));
    }

    // Section 7, from the document's words.
    private byte[] SealPack(byte[] salt, byte[] records, byte[] padding, params byte[][] encoded)
    {
        byte[] header = [.. "OBPK"u8, 1, 1, 0, 0, .. salt];
        byte[] key = _independent.PackKey(salt);
        var pack = new List<byte>(header);
        for (int i = 0; i < encoded.Length; i++)
        {
            byte[] ordinal = U32((uint)i);
            byte[] associated = [.. _independent.Context, 1, 1, .. ordinal, .. records[(i * 42)..((i + 1) * 42)]];
            pack.AddRange(IndependentKeys.Seal(key, [.. ordinal, .. new byte[8]], encoded[i], associated));
        }

        byte[] plain = [.. U32((uint)encoded.Length), .. records, .. new byte[40]];
        byte[] footer = IndependentKeys.Seal(key, [.. U32(uint.MaxValue), .. new byte[8]], plain, [.. _independent.Context, .. header]);
        pack.AddRange([.. padding, .. footer, .. U32((uint)footer.Length)]);
        byte[] covered = [.. pack];
        return [.. covered, .. XxHash128.Hash(covered)];
    }

    private static byte[] U32(uint value)
    {
        byte[] bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
