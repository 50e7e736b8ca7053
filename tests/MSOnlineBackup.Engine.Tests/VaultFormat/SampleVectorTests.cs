using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Parity;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>
/// The samples of <c>docs/vault-format.md</c> of attributes, sources of Windows, further records and further sealed objects: what the engine writes, and what
/// the document alone reads.
/// </summary>
public sealed class SampleVectorTests : IDisposable
{
    private const string Sealed = "sealed ";

    private static readonly byte[] _master = FormatDocument.Hex("keys", "master");
    private static readonly string _vault = FormatDocument.Raw("keys", "vault");
    private static readonly StoreId _store = StoreId.Parse(FormatDocument.Raw("keys", "store"));
    private static readonly SessionId _session = SessionId.Parse(FormatDocument.Raw("segment", "session"));
    private static readonly MachineId _machine = MachineId.Parse(FormatDocument.Raw("names", "machine id"));

    private readonly StoreKeys _keys = new(_master, Convert.FromHexString(_vault), _store);
    private readonly IndependentKeys _independent = new(_master, Convert.FromHexString(_vault), FormatDocument.Hex("keys", "store"));

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void Attributes_of_every_tag_are_written_and_read_as_the_document_says()
    {
        const string Sid = "010100000000000512000000";
        byte[] descriptor = Convert.FromHexString("010004801400000020000000000000002c000000" + Sid + Sid + "0200080000000000");
        byte[] junction = Convert.FromHexString("030000a0240000000000100012000800" + Utf16(@"\??\C:\x") + "0000" + Utf16(@"C:\x") + "0000");
        ManifestEntry[] entries =
        [
            Entry("", EntryKind.Directory),
            Entry("a", EntryKind.File, new(AttributeTag.InodeFlags, default, U32(0x10)), new(AttributeTag.Unread, "user.y"u8.ToArray(), default)),
            Entry(
                "b",
                EntryKind.File,
                new(AttributeTag.InodeFlags, "bsd"u8.ToArray(), U32(0x8000)),
                new(AttributeTag.NamedStream, "com.apple.ResourceFork"u8.ToArray(), "1"u8.ToArray())),
            Entry("c", EntryKind.Directory, new(AttributeTag.Unread, default, default), new(AttributeTag.MountPoint, default, default)),
            Entry(
                "d",
                EntryKind.File,
                new(AttributeTag.WindowsAttributes, default, U32((uint)(FileAttributes.Hidden | FileAttributes.Archive))),
                new(AttributeTag.WindowsSecurityDescriptor, default, descriptor),
                new(AttributeTag.NamedStream, "s"u8.ToArray(), "1"u8.ToArray())),
            Entry(
                "e",
                EntryKind.SymbolicLink,
                new(AttributeTag.WindowsAttributes, default, U32((uint)(FileAttributes.Directory | FileAttributes.ReparsePoint))),
                new(AttributeTag.WindowsReparseData, default, junction)) with { LinkTarget = @"C:\x"u8.ToArray() },
        ];
        var encoder = new LeafEncoder();
        foreach (ManifestEntry entry in entries)
        {
            encoder.Add(entry);
        }

        Assert.Equal(FormatDocument.Raw("attributes", "block"), Convert.ToHexStringLower(encoder.Block.Span));
        Assert.Equal(@"C:\x", ReparseData.TargetOf(junction));
        List<IndependentEntry> read =
            IndependentReader.DecodeLeaf(FormatDocument.Hex("attributes", "block"), static _ => throw new InvalidOperationException());
        Assert.Equal(
            entries.Select(entry => Describe(entry.Attributes)),
            read.Select(entry => Describe(entry.Attributes.Select(found => new EntryAttribute((AttributeTag)found.Tag, found.Name, found.Value)))));
        Assert.Equal(
            Enum.GetValues<AttributeTag>().Where(tag => tag is not (AttributeTag.ExtendedAttribute or AttributeTag.LongStream)),
            entries.SelectMany(entry => entry.Attributes).Select(attribute => attribute.Tag).Distinct().Order());

        static ManifestEntry Entry(string path, EntryKind kind, params EntryAttribute[] attributes) =>
            new() { Path = EntryPath.Parse(path), Kind = kind, Metadata = new(), Attributes = attributes };

        static string Describe(IEnumerable<EntryAttribute> attributes) => string.Join(
            ' ', attributes.Select(
                attribute => $"{(byte)attribute.Tag}:{Convert.ToHexString(attribute.Name.Span)}={Convert.ToHexString(attribute.Value.Span)}"));

        static string Utf16(string text) => Convert.ToHexString(Encoding.Unicode.GetBytes(text));
    }

    [Theory]
    [InlineData("drive", @"C:\x", "C/x")]
    [InlineData("share", @"\\server\share", "server/share")]
    public void A_source_of_Windows_is_written_and_read_as_the_document_says(string vector, string path, string place)
    {
        string json = FormatDocument.Raw("windows sources", vector);
        string point = FormatDocument.Raw("point", "json");
        int sources = point.IndexOf("\"sources\":[", StringComparison.Ordinal) + "\"sources\":[".Length;
        string changed = point[..sources] + json + point[point.IndexOf("],\"newBytes\"", StringComparison.Ordinal)..];

        RecoveryPoint read = RecoveryPointCodec.Decode(Encoding.UTF8.GetBytes(changed), "p");

        RecoveryPointSource source = Assert.Single(read.Sources);
        Assert.Equal((PathForm.Windows, IndependentReader.PathText(Encoding.UTF8.GetBytes(path))), (source.Form, source.Path));
        Assert.Equal((path, place), (PathText.Show(source.Form, EntryName.Unescape(source.Path)), SourcePath.ToTarget(source).ToString()));
        Assert.Equal(changed, Encoding.UTF8.GetString(RecoveryPointCodec.Encode(read)));
    }

    [Fact]
    public void The_checkpoint_means_what_the_document_says()
    {
        string json = FormatDocument.Raw("checkpoint", "json");
        RecoveryPoint point = RecoveryPointCodec.Decode(Encoding.UTF8.GetBytes(FormatDocument.Raw("point", "json")), "p");

        RecoveryPoint checkpoint = RecoveryPointCodec.Decode(Encoding.UTF8.GetBytes(json), "c");

        Assert.Equal(RecoveryPointStatus.InProgress, checkpoint.Status);
        Assert.Equal((point.SessionId, point.MachineId, point.Started), (checkpoint.SessionId, checkpoint.MachineId, checkpoint.Started));
        Assert.True(checkpoint.Ended < point.Ended);
        Assert.Equal(point.Sources[0].Path, Assert.Single(checkpoint.Sources).Path);
        Assert.Empty(checkpoint.SkippedItems);
        Assert.Equal(json, Encoding.UTF8.GetString(RecoveryPointCodec.Encode(checkpoint)));
    }

    [Fact]
    public void A_machine_that_left_is_recorded_as_the_document_says()
    {
        VaultHeader header = Header();
        (string name, byte[] record) = Record("left");

        MachineRecord machine = MachineDirectory.TryOpen(header, name, record, _keys)!;

        Assert.Equal(VaultLayout.Machine(_machine) + "00000002", name);
        Assert.Equal((FormatDocument.Quoted("names", "machine name"), true), (machine.Name, machine.IsGone));
        Assert.Equal(new DateTimeOffset(2026, 11, 22, 4, 5, 6, TimeSpan.Zero), machine.Left);
        AssertRecord("left", machine, RegisterJson.Default.MachineRecord);
    }

    [Fact]
    public void A_vault_record_is_as_the_document_says()
    {
        (string name, byte[] record) = Record("vault record");

        VaultRecord feature = OwnerRecord.TryOpen(Header(), name, record, RegisterJson.Default.VaultRecord)!;

        Assert.Equal((VaultLayout.Records + "00000001", VaultRecord.Feature, "example"), (name, feature.Kind, feature.Name));
        Assert.Equal(["write", "collect"], feature.NeededTo!);
        AssertRecord("vault record", feature, RegisterJson.Default.VaultRecord);
    }

    [Fact]
    public void A_credential_is_recorded_as_the_document_says()
    {
        (string name, byte[] record) = Record("credential");

        CredentialRecord credential = OwnerRecord.TryOpen(Header(), name, record, RegisterJson.Default.CredentialRecord)!;

        Assert.Equal(VaultLayout.Credentials + "00000001", name);
        Assert.Equal(SHA256.HashData(FormatDocument.Hex("more records", "token")), credential.TokenHash);
        Assert.Equal(CredentialRegister.DefaultValidity, credential.Expires - credential.Issued);
        AssertRecord("credential", credential, RegisterJson.Default.CredentialRecord);
    }

    [Fact]
    public void The_condemn_record_is_as_the_document_says()
    {
        byte[] content = FormatDocument.Hex("condemn record", "content");

        Assert.Equal(CondemnedPacks.NameOf(_store, 1), FormatDocument.Quoted("condemn record", "name"));
        Assert.Equal(Convert.ToHexStringLower(content), Convert.ToHexStringLower(CondemnedPacks.Encode([(_session, 1), (_session, 2)])));
        AssertSealed("condemn record", SealedObjectKind.CondemnedPacks, content);
    }

    [Fact]
    public void Parity_is_as_the_document_says()
    {
        byte[] pack = FormatDocument.Hex("pack", "pack");
        var geometry = new ParityGeometry(64, 1, 2);
        var member = new ParityMember(3, _session, 1, pack.Length, ParityMember.ChecksumOf(pack));
        var sum = new ParitySum(geometry, new byte[geometry.ParityLength]);
        sum.Add(member.Slot, pack, workers: 1);

        Assert.Equal(FormatDocument.Raw("parity", "group"), Convert.ToHexStringLower(new ParityGroup(geometry, 4096, [member]).Encode()));
        Assert.Equal(FormatDocument.Raw("parity", "row 0") + FormatDocument.Raw("parity", "row 1"), Convert.ToHexStringLower(sum.Content));
        Assert.Equal(member, Assert.Single(ParityGroup.Decode("group", FormatDocument.Hex("parity", "group")).Members));
    }

    [Fact]
    public void The_fence_is_as_the_document_says()
    {
        string name = FormatDocument.Quoted("fence", "name");

        Assert.True(VaultLayout.TryParsePoint(name, out MachineId machine, out _));
        Assert.Equal(_machine, machine);
        AssertSealed("fence", SealedObjectKind.Fence, []);
        Assert.Equal(FormatDocument.Hex("fence", "object").Length, SealedObject.Seal(_keys, SealedObjectKind.Fence, name, []).Length);
    }

    [Fact]
    public void The_end_of_a_session_is_as_the_document_says()
    {
        var session = SessionId.Parse(FormatDocument.Quoted("fence", "name").Split('/')[^1]);

        Assert.Equal(VaultLayout.SessionEnd(_store, session), FormatDocument.Quoted("end", "name"));
        Assert.Equal(StoredKind.SessionEnd, VaultLayout.KindOf(FormatDocument.Quoted("end", "name"), out _));
        Assert.Equal("{}", FormatDocument.Raw("end", "content"));
    }

    [Fact]
    public void The_commit_of_a_session_is_as_the_document_says()
    {
        string commit = FormatDocument.Quoted("commit", "name");
        Assert.Equal(StoredKind.Commit, VaultLayout.KindOf(commit, out StoreId? store));
        Assert.True(VaultLayout.TryParsePoint(commit, out MachineId machine, out SessionId committed));
        Assert.Equal(commit, VaultLayout.Commit(store!.Value, machine, committed));
        Assert.Equal("{}", FormatDocument.Raw("commit", "content"));
    }

    [Fact]
    public void The_record_of_a_deletion_is_as_the_document_says()
    {
        string name = FormatDocument.Quoted("deletion", "name");
        byte[] json = Encoding.UTF8.GetBytes(FormatDocument.Raw("deletion", "json"));
        Assert.Equal(VaultLayout.Deletion(_store, _machine, _session, 1), name);
        Assert.Equal(StoredKind.Deletion, VaultLayout.KindOf(name, out _));
        var record = new DeletionRecord(DeletionState.Deleted, "superseded", "0.1.0", new DateTimeOffset(2026, 11, 21, 5, 5, 6, TimeSpan.Zero));
        Assert.Equal(record, DeletionCodec.Decode(json, name));
        Assert.Equal(Encoding.UTF8.GetString(json), Encoding.UTF8.GetString(DeletionCodec.Encode(record)));
        AssertSealed("deletion", SealedObjectKind.Deletion, json);
    }

    [Theory]
    [InlineData("checkpoint", (byte)SealedObjectKind.Checkpoint)]
    [InlineData("point", (byte)SealedObjectKind.RecoveryPoint)]
    public void Points_and_checkpoints_are_sealed_as_the_document_says(string vector, byte kind)
    {
        byte[] json = Encoding.UTF8.GetBytes(FormatDocument.Raw(vector, "json"));
        string name = FormatDocument.Quoted(Sealed + vector, "name");
        byte[] salt = FormatDocument.Hex(Sealed + vector, "salt");
        int length = int.Parse(FormatDocument.Raw(Sealed + vector, "length"), null);

        byte[] made = Seal((SealedObjectKind)kind, name, salt, json, length);

        Assert.Equal(
            kind == (byte)SealedObjectKind.Checkpoint ? VaultLayout.Checkpoint(_store, _session, 1) : VaultLayout.Point(_store, _machine, _session), name);
        Assert.Equal(FormatDocument.Raw(Sealed + vector, "key"), Convert.ToHexStringLower(_keys.ObjectKey(salt)));
        Assert.Equal(FormatDocument.Raw(Sealed + vector, "beginning"), Convert.ToHexStringLower(made.AsSpan(0, 64)));
        Assert.Equal(FormatDocument.Raw(Sealed + vector, "end"), Convert.ToHexStringLower(made.AsSpan(length - 32)));
        Assert.Equal(FormatDocument.Raw(Sealed + vector, "SHA-256"), Convert.ToHexStringLower(SHA256.HashData(made)));
        AssertOpens(name, made, (SealedObjectKind)kind, json);
        Assert.Equal(length, SealedObject.Seal(_keys, (SealedObjectKind)kind, name, json).Length);
    }

    private void AssertSealed(string vector, SealedObjectKind kind, byte[] content)
    {
        string name = FormatDocument.Quoted(vector, "name");
        byte[] stored = FormatDocument.Hex(vector, "object");
        Assert.Equal(Convert.ToHexStringLower(stored), Convert.ToHexStringLower(Seal(kind, name, FormatDocument.Hex(vector, "salt"), content, stored.Length)));
        AssertOpens(name, stored, kind, content);
        AssertOpens(name, SealedObject.Seal(_keys, kind, name, content), kind, content);
    }

    private void AssertOpens(string name, byte[] stored, SealedObjectKind kind, byte[] content)
    {
        Assert.Equal(content, SealedObject.Open(_keys, name, stored, out SealedObjectKind found).ToArray());
        Assert.Equal(kind, found);
        Assert.Equal(content, IndependentReader.OpenSealed(_independent, name, stored, (byte)kind));
    }

    // Section 8, from the document's words.
    private byte[] Seal(SealedObjectKind kind, string name, byte[] salt, byte[] content, int length)
    {
        byte[] header = [.. "OBSO"u8, 1, (byte)kind, 0, 0, .. salt];
        byte[] plaintext = [.. U32((uint)content.Length), .. content];
        byte[] padded = [.. plaintext, .. new byte[length - header.Length - plaintext.Length - 32]];
        byte[] body =
        [
            .. header, .. IndependentKeys.Seal(
                _independent.ObjectKey(salt), new byte[12], padded, [.. header, .. _independent.Context, .. Encoding.ASCII.GetBytes(name)]),
        ];
        return [.. body, .. XxHash128.Hash(body)];
    }

    // A body is what the engine writes, and the owner has signed it; the engine's own signature differs each time, and holds as well.
    private static void AssertRecord<T>(string which, T state, JsonTypeInfo<T> type)
        where T : class
    {
        (string name, byte[] record) = Record(which);
        VaultHeader header = Header();
        using OwnerKey key = OwnerKey.TryImport(FormatDocument.Hex("records", "private key"), header.OwnerIdentity!)!;

        Assert.Equal(FormatDocument.Raw("more records", which + " body"), Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(state, type)));
        Assert.NotNull(OwnerRecord.TryOpen(header, name, OwnerRecord.Seal(TestVault.Of(new MemoryVaultStore(), header), key, name, state, type), type));
        IndependentReader.CheckSignature(header.OwnerIdentity!.Encode(), _vault, name, record);
    }

    private static (string Name, byte[] Record) Record(string which) => (
        FormatDocument.Quoted("more records", which),
        Encoding.UTF8.GetBytes($"{FormatDocument.Raw("more records", which + " body")}\n{FormatDocument.Raw("more records", which + " proof")}\n"));

    private static VaultHeader Header() => new()
    {
        Format = 1,
        VaultId = _vault,
        Copy = _vault,
        Created = DateTimeOffset.UnixEpoch,
        Owner = OwnerIdentity.TryParse(FormatDocument.Raw("records", "owner"))!.Encode(),
    };

    private static byte[] U32(uint value)
    {
        byte[] bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}
