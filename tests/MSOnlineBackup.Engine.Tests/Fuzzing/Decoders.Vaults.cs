using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Engine.Tests.Packs;
using MSOnlineBackup.Engine.Tests.RecoveryPoints;
using MSOnlineBackup.Engine.Tests.Vaults;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Groups;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Parity;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Tests.Fuzzing;

/// <content>Of vaults.</content>
internal static partial class Decoders
{
    private const string Id = "11111111111111111111111111111111";
    private const string Passphrase = "a passphrase for tests";

    private static readonly ChunkId _chunk = Manifests.Chunk(7);
    private static readonly DateTimeOffset _time = new(2024, 2, 29, 12, 0, 0, TimeSpan.Zero);
    private static readonly SessionId _session = SessionId.Parse(new string('5', 32));
    private static readonly StoreId _store = StoreId.Parse(Id);
    private static readonly MachineId _machine = MachineId.Parse(Id);
    private static readonly ParityGroup _group = new(
        new ParityGeometry(4096, 2, 8), 5000, [new ParityMember(0, _session, 1, 40_000, 7), new ParityMember(3, _session, 2, 4096, UInt128.MaxValue)]);

    private static readonly string[] _paths = ["a", "folder/file", "folder/file-2"];

    private static IEnumerable<Decoder> OfPlainObjects()
    {
        yield return new(
            "vault-header",
            Checked(content =>
            {
                var objects = new MemoryVaultStore();
                objects.SetContent(VaultLayout.Header, content);
                Wait(VaultHeader.ReadAsync(objects, CancellationToken.None));
            }),
            () => [Covered(TestStores.Header, HeaderJson.Default.VaultHeader), Covered(TestStores.Header with { Name = "Office" }, HeaderJson.Default.VaultHeader)],
            typeof(VaultHeader), typeof(CheckedJson), typeof(HeaderJson), typeof(RegisterJson), typeof(SessionJson), typeof(OwnerIdentity));
        yield return new(
            "key-slot",
            Checked(content => KeySlot.Decode(content, _store, Id)),
            () =>
            [
                Slot(KeySlot.Create(Passphrase, new byte[32], new KeySlotIdentity(Id, _store, Id), PassphraseDerivation.ByPbkdf2(1000), "office", _time)),
                Slot(KeySlot.Create(Passphrase, new byte[32], new KeySlotIdentity(Id, _store, Id), PassphraseDerivation.Best, null, _time)),
            ],
            typeof(KeySlot), typeof(KeySlotJson));
        yield return new(
            "session",
            Checked(content =>
            {
                // A record as somebody wrote it: whoever asks minds that.
                Allowing<JsonException>(() => SessionRecord.Decode(content, TestStores.Header, VaultLayout.Session(_store, _session)));
            }),
            () =>
            [
                Covered(
                    new SessionRecord { VaultId = TestStores.Header.VaultId, StoreId = _store, SessionId = _session, MachineId = _machine, Started = _time, AgentVersion = "1.0" },
                    SessionJson.Default.SessionRecord),
            ],
            typeof(SessionRecord));
        yield return new(
            "object-name",
            content =>
            {
                string name = Encoding.UTF8.GetString(content);
                _ = VaultLayout.TryParsePoint(name, out _, out _);
                _ = VaultLayout.TryParseNumbered(name, out _, out _);
                _ = VaultLayout.KindOf(name, out _);
                _ = VaultLayout.TryParseDeletion(name, out _, out _, out _);
            },
            () => [Encoding.UTF8.GetBytes(VaultLayout.Session(_store, _session)), Encoding.UTF8.GetBytes($"stores/{Id}/points/{Id}/{_session}"), Encoding.UTF8.GetBytes($"stores/{Id}/packs/{_session}-00000001")],
            typeof(VaultLayout), typeof(IVaultId<>), typeof(IdDigits), typeof(SessionId), typeof(StoreId), typeof(MachineId));
    }

    private static IEnumerable<Decoder> OfRecords()
    {
        yield return new(
            "record",
            content =>
            {
                RecordEnvelope.TrySplit(content, out ReadOnlySpan<byte> _, out _);
                MachineDirectory.TryOpen(TestStores.Header, Machine(), content, TestKeys.Keys);
                OwnerRecord.TryOpen(TestStores.Header, VaultLayout.Settings + "00000001", content, RegisterJson.Default.VaultSettings);
            },
            () => [TestStores.Signed(VaultLayout.Settings + "00000001", """{"machineLimit":7}""")],
            typeof(RecordEnvelope), typeof(OwnerRecord), typeof(OwnerSeries<>));
        yield return new(
            "machine-record",
            body =>
            {
                string name = Machine();
                MachineDirectory.TryOpen(
                    TestStores.Header, name, RecordEnvelope.Authenticate(TestKeys.Keys.MachinesKey(), TestStores.Header.VaultId, name, body), TestKeys.Keys);
                MachineDirectory.TryOpen(TestStores.Header, name, RecordEnvelope.Sign(TestStores.Owner, TestStores.Header.VaultId, name, body), null);
            },
            () => [Text($$"""{"name":"ALPHA","store":"{{TestStores.Store}}","operatingSystem":"Linux","agentVersion":"1.0","left":"2024-02-29T12:00:00+00:00"}""")],
            typeof(MachineDirectory));
        yield return new(
            "vault-settings",
            body => Wait(new VaultSettingsRegister(WithRecord(VaultLayout.Settings, body)).ReadAsync(CancellationToken.None)),
            () => [Text("""{"machineLimit":7,"requirePrivateEndpoint":true,"accessTier":1,"redundancy":1,"later":[1]}""")],
            typeof(VaultSettingsRegister));
        yield return new(
            "credential-record",
            body =>
            {
                var credential = new VaultCredential
                {
                    Location = "/vault", VaultId = TestStores.Header.VaultId, Owner = TestStores.Owner.Identity.PublicKey, VaultName = "Office", Serial = 1, Token = new byte[32], Issued = _time, Expires = _time,
                };
                Wait(new CredentialRegister(WithRecord(VaultLayout.Credentials, body)).CheckAsync(credential, "file", CancellationToken.None));
            },
            () =>
            [
                JsonSerializer.SerializeToUtf8Bytes(
                    new CredentialRecord { TokenHash = SHA256.HashData(new byte[32]), Issued = _time, Expires = DateTimeOffset.MaxValue }, RegisterJson.Default.CredentialRecord),
            ],
            typeof(CredentialRegister));
        yield return new(
            "vault-record",
            body =>
            {
                VaultRecords records = Wait(VaultRecords.ReadAsync(WithRecord(VaultLayout.Records, body), [1], CancellationToken.None));
                foreach (VaultUse use in Enum.GetValues<VaultUse>())
                {
                    Allowing<BackupException>(() => records.Allow(use));
                }
            },
            () => [Text("""{"kind":"feature","name":"later","neededTo":["collect"]}""")],
            typeof(VaultRecords));
        yield return new(
            "consent-record",
            body => Wait(new ConsentRegister(
                TestVault.Of(WithRecord(VaultLayout.Consents, body).Objects, TestStores.Header), [TestStores.Owner.Identity], ConsentRecord.Pin).FindAsync("AB12-CD34", GuardedOperation.DeletePoints, CancellationToken.None)),
            () =>
            [
                JsonSerializer.SerializeToUtf8Bytes(
                    ConsentRecord.Create(ConsentRecord.Pin, "AB12CD34", GuardedOperation.DeletePoints, TimeSpan.FromMinutes(5), PassphraseDerivation.ByPbkdf2(1)), ConsentJson.Default.ConsentRecord),
            ],
            typeof(ConsentRegister), typeof(ConsentRecord), typeof(ConsentJson));
        yield return new(
            "credential-file",
            content =>
            {
                Allowing<BackupException>(() => VaultCredentialFile.Decode(content, "file"));
                VaultCredentialFile.Decode(VaultCredentialFile.Encode(content), "file");
            },
            () =>
            [
                JsonSerializer.SerializeToUtf8Bytes(
                    new VaultCredential
                    {
                        Location = "/vault", VaultId = Id, Owner = TestStores.Owner.Identity.PublicKey, VaultName = "Office", Serial = 1, Token = new byte[32], Issued = _time, Expires = _time, Secret = "sv=1",
                    },
                    VaultCredentialJson.Default.VaultCredential),
            ],
            typeof(VaultCredentialFile), typeof(VaultCredentialJson), typeof(TextArmour), typeof(SaltedSeal));
        yield return new(
            "run-status",
            body =>
            {
                string name = VaultLayout.StatusesOf(_machine, "files") + "00000001";
                var key = new MonitoringKey(_store, new byte[MonitoringKey.Length]);
                foreach (MonitoringKey[] keys in new[] { [], new[] { key } })
                {
                    StatusCodec.Decode(keys, _store, Id, name, body);
                    StatusCodec.Decode(keys, _store, Id, name, RecordEnvelope.Authenticate(key.CodeKey, Id, name, body));
                }
            },
            () =>
            [
                BodyOf(isSealed: false), BodyOf(isSealed: true),
            ],
            typeof(StatusCodec), typeof(RunStatus), typeof(SealedStatus), typeof(StatusJson), typeof(StatusNames));
        yield return new(
            "monitoring-credential",
            content =>
            {
                Allowing<BackupException>(() => MonitoringCredential.Decode(content, "file"));
                MonitoringCredential.Decode(Encoding.ASCII.GetBytes(TextArmour.Encode("MSONLINEBACKUP MONITORING CREDENTIAL", content)), "file");
            },
            () => [[1, .. Text($$"""{"vaultId":"{{Id}}","store":"{{Id}}","key":"{{Convert.ToBase64String(new byte[32])}}"}""")]],
            typeof(MonitoringCredential), typeof(MonitoringCredentialJson));
        yield return new(
            "owner-file",
            InFile(path => Wait(OwnerFile.ReadOwnerAsync(path, CancellationToken.None))),
            () => [OwnerFile.Encode(new NewOwner(TestStores.Owner, Id, "Office", "/vault", _time), Passphrase, TestOptions.Quick)],
            typeof(OwnerFile), typeof(OwnerFileJson));
    }

    private static IEnumerable<Decoder> OfSealedObjects()
    {
        yield return new(
            "sealed-object",
            content => SealedObject.Open(TestKeys.Keys, "stores/a/object", TestKeys.WithChecksum([.. content, .. new byte[ObjectChecksum.Length]]), out _),
            () => [SealedObject.Seal(TestKeys.Keys, SealedObjectKind.RecoveryPoint, "stores/a/object", "{}"u8)[..^ObjectChecksum.Length]],
            typeof(SealedObject), typeof(ObjectChecksum));
        yield return new(
            "recovery-point",
            content => RecoveryPointCodec.Decode(content, "point"),
            () =>
            [
                RecoveryPointCodec.Encode(RecoveryPointCodecTests.Point),
                RecoveryPointCodec.Encode(RecoveryPointCodecTests.Point with
                {
                    Sources = [RecoveryPointCodecTests.Point.Sources[0] with { Consistency = new SourceConsistency(ConsistencyLevel.FileSystem, "Btrfs", "why") }],
                }),
            ],
            typeof(RecoveryPointCodec), typeof(RecoveryPointJsonContext));
        yield return new(
            "deletion",
            content => DeletionCodec.Decode(content, "deletion"),
            () => [DeletionCodec.Encode(new DeletionRecord(DeletionState.Deleted, "superseded", "1.0", _time)), DeletionCodec.Encode(new DeletionRecord(DeletionState.Gone, "", "1.0"))],
            typeof(DeletionCodec));
        yield return new(
            "index-segment",
            content => IndexSegment.Decode("segment", content, epoch => epoch == 0, _ => 1),
            () => [IndexSegment.Encode([(new PackInfo(_session, 1, PackKind.Data, 100_000, new byte[PackFormat.SaltLength]), [Chunk(1), Chunk(2)])]), IndexSegment.Encode([])],
            typeof(IndexSegment));
        yield return new(
            "key-epoch",
            content => KeyEpochs.Decode("record", content, 2),
            () => [KeyEpochs.Encode(new Dictionary<byte, byte[]> { [0] = TestKeys.Bytes(1, 32), [1] = TestKeys.Bytes(2, 32) })],
            typeof(KeyEpochs));
        yield return new(
            "key-order",
            content => KeyOrder.Decode(new string('1', 32), content),
            () => [KeyOrder.Encode(new string('1', 32), new KeyName(StoreId.Parse(new string('2', 32)), new string('3', 32), 0))],
            typeof(KeyOrder), typeof(KeyOrderJson));
        yield return new(
            "condemned-packs",
            content =>
            {
                var objects = new MemoryVaultStore();
                string name = CondemnedPacks.NameOf(TestStores.Store, 1);
                objects.SetContent(name, SealedObject.Seal(TestKeys.Keys, SealedObjectKind.CondemnedPacks, name, content));
                Wait(CondemnedPacks.ReadAsync(Wait(TestStores.OpenAsync(objects)), CancellationToken.None));
            },
            () => [CondemnedPacks.Encode([(_session, 1), (_session, 2)])],
            typeof(CondemnedPacks));
        yield return new(
            "awaited-sessions",
            content => AwaitedSessions.Decode("stores/x/gc/00000001.wait", content),
            () => [AwaitedSessions.Encode([_session, SessionId.Parse("019aa4f0c1217abc8def0123456789ab")])],
            typeof(AwaitedSessions), typeof(RecordList));
        yield return new(
            "parity-group",
            content => ParityGroup.Decode("parity", content),
            () => [_group.Encode(), new ParityGroup(ParityGeometry.For(16 << 20, 8), 80_000, [new ParityMember(19, _session, 1, 16 << 20)]).Encode()],
            typeof(ParityGroup));
        yield return new(
            "shard-sums",
            content => ShardSums.Decode("parity", content, _group),
            () => [new ShardSums(TestKeys.Bytes(1, 16 * 16), [TestKeys.Bytes(2, 16 * 10), TestKeys.Bytes(3, 16)]).Encode()],
            typeof(ShardSums));
        yield return new(
            "pack-times",
            content => PackTimes.Decode("stores/x/proofs/y.packs", content, _time, []),
            () => [PackTimes.Encode([((_session, 1), null), ((_session, 2), _time)])],
            typeof(PackTimes));
        yield return new(
            "trial-proof",
            content => TrialProof.Decode("stores/x/proofs/y.restore", content),
            () => [new TrialProof(_machine, _session, 7, 3, 1000, 0, "1.0").Encode()],
            typeof(TrialProof), typeof(ProofJson));
        yield return new(
            "group",
            content => GroupCodec.Decode(content, "stores/x/groups/y-00000001"),
            () => [GroupCodec.Encode(new GroupRecord
            {
                Id = new string('5', 32),
                Name = "web",
                Changed = _time,
                Machines = [new GroupMachineRecord { HostName = "m1", UserName = "backup", Port = 22, KeyFilePath = "/root/.ssh/id", HostKeyKind = "ssh-ed25519", HostKey = "AAAA", Platform = "linux-x64", AgentVersion = "1", AgentBuild = "1", Program = "/p" }],
                DiskVaults = ["/pool/a", "/pool/b"],
                CopyTo = ["https://x.example/cloud"],
                Policy = "{}",
                CopyRetention = "{}",
            })],
            typeof(GroupCodec), typeof(GroupJson), typeof(GroupMachineJson), typeof(GroupJsonContext));
        yield return new(
            "pack",
            content =>
            {
                PackReader.ReadHeader("pack", content, out _, out _);
                int length = PackReader.ReadFooterLength("pack", content.Length, content.AsSpan(content.Length - PackFormat.TrailerLength));
                PackReader.ReadFooter(TestKeys.Keys, "pack", content.Length, content, content.AsSpan(content.Length - PackFormat.TrailerLength - length, length));
            },
            () => [TestPack.Forge(Footer(2), 2000)],
            typeof(PackReader));
        yield return new(
            "pack-footer",
            footer =>
            {
                byte[] pack = TestPack.Forge(footer.Length < sizeof(uint) ? [.. footer, .. new byte[sizeof(uint)]] : footer, 2000);
                int length = PackReader.ReadFooterLength("pack", pack.Length, pack.AsSpan(pack.Length - PackFormat.TrailerLength));
                PackReader.ReadFooter(TestKeys.Keys, "pack", pack.Length, pack, pack.AsSpan(pack.Length - PackFormat.TrailerLength - length, length));
            },
            () => [Footer(2), Footer(0)]);
        yield return new(
            "chunk",
            content =>
            {
                if (content.Length > sizeof(uint))
                {
                    byte[] plaintext = new byte[BinaryPrimitives.ReadUInt32LittleEndian(content) % (ChunkCodec.MaxRawLength + 1)];
                    ChunkCodec.TryDecode((ChunkEncoding)(content[sizeof(uint)] % 3), content.AsSpan(sizeof(uint) + 1), plaintext);
                }
            },
            () => [Encoded(Text(string.Concat(Enumerable.Repeat("much the same again; ", 60)))), Encoded(TestKeys.Bytes(1, 300)), Encoded(new byte[5000])],
            typeof(ChunkCodec), typeof(ZstandardCodec));
    }

    private static IEnumerable<Decoder> OfManifests()
    {
        yield return new(
            "manifest-leaf",
            content =>
            {
                var leaf = new LeafReader(_chunk, content);
                while (leaf.MoveNext())
                {
                    int streams = leaf.ToEntry().LongStreams.Count;
                    if (leaf.Contents.Count(part => part.IsNamed) != streams)
                    {
                        throw new InvalidOperationException("The streams of an entry are not those of its leaf.");
                    }
                }
            },
            () => [.. Enumerable.Range(0, 6).Select(seed => Leaf(Manifests.RandomTree(seed, 12))), VaultFormat.FormatDocument.Hex("later leaf", "block"), VaultFormat.FormatDocument.Hex("long streams", "block")],
            typeof(LeafReader), typeof(PathCoding), typeof(ItemContent));
        yield return new(
            "manifest-node",
            content => NodeBlock.Read(content, _chunk, level: 1, new ManifestTotals(30, 3, 3, 3000)),
            () => [Node()],
            typeof(NodeBlock));
        yield return new(
            "slice-list",
            content => SliceListCodec.Decode(content, new SliceListReference(_chunk, 3_000_000)),
            () => [SliceListCodec.Encode([new ContentSlice(_chunk, 0, 1_000_000), new ContentSlice(null, 0, 1_500_000), new ContentSlice(Manifests.Chunk(8), 100, 500_000)]).ToArray()],
            typeof(SliceListCodec));
        yield return new(
            "skipped-items",
            content => SkippedItemsCodec.Read(_chunk, content),
            () => [SkippedLines()],
            typeof(SkippedItemsCodec));
    }

    // Seen from outside, and with the right checksum, as whoever writes one can have it.
    private static Action<byte[]> Checked(Action<byte[]> decode) => covered =>
    {
        Allowing<BackupException>(() => decode(covered));
        decode(CheckedJson.Complete(covered));
    };

    private static byte[] Covered<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type)[..^1];

    private static byte[] Slot(KeySlot slot) => slot.Encode()[..^CheckedJson.TailLength];

    private static byte[] BodyOf(bool isSealed)
    {
        string name = VaultLayout.StatusesOf(_machine, "files") + "00000001";
        var status = new RunStatus { Machine = "ALPHA", Policy = "files", Outcome = RunOutcome.Failed, Errors = ["SourceNotFound"], Started = _time, Next = _time, NextSeconds = 60, AgentVersion = "1" };
        RecordEnvelope.TrySplit(StatusCodec.Encode(new MonitoringKey(_store, new byte[MonitoringKey.Length]), Id, name, status, isSealed), out ReadOnlySpan<byte> body, out _);
        return body.ToArray();
    }

    private static string Machine() => VaultLayout.Machine(TestStores.Header.MachineId("ALPHA")) + "00000001";

    private static KnownVault WithRecord(string folder, byte[] body)
    {
        var objects = new MemoryVaultStore();
        string name = folder + "00000001";
        objects.SetContent(name, RecordEnvelope.Sign(TestStores.Owner, TestStores.Header.VaultId, name, body));
        return TestVault.Of(objects, TestStores.Header);
    }

    private static PackedChunk Chunk(int number) => new(Manifests.Chunk(number), ChunkKind.Content, ChunkEncoding.Raw, (uint)number, 100 * number, 100, 84);

    private static byte[] Footer(int chunks)
    {
        byte[] footer = new byte[sizeof(uint) + (chunks * PackFormat.RecordLength)];
        BinaryPrimitives.WriteInt32LittleEndian(footer, chunks);
        for (int i = 0; i < chunks; i++)
        {
            Span<byte> record = footer.AsSpan(sizeof(uint) + (i * PackFormat.RecordLength), PackFormat.RecordLength);
            Manifests.Chunk(i).CopyTo(record);
            BinaryPrimitives.WriteInt32LittleEndian(record[PackFormat.RecordRawOffset..], 84);
            BinaryPrimitives.WriteInt32LittleEndian(record[PackFormat.RecordStoredOffset..], 100);
        }

        return footer;
    }

    private static byte[] Encoded(byte[] plaintext)
    {
        byte[] encoded = new byte[ZstandardCodec.RoomFor(plaintext.Length)];
        int length = ChunkCodec.Encode(plaintext, encoded, out ChunkEncoding encoding);
        return [.. BitConverter.GetBytes(plaintext.Length), (byte)encoding, .. encoded[..length]];
    }

    private static byte[] Leaf(List<ManifestEntry> entries)
    {
        var leaf = new LeafEncoder();
        entries.ForEach(leaf.Add);
        return leaf.Block.ToArray();
    }

    private static byte[] Node()
    {
        var block = new BlockWriter();
        NodeBlock.Write(
            block,
            level: 1,
            [.. _paths.Select((path, index) => new ManifestBlock(Manifests.Path(path), Manifests.Chunk(index), new ManifestTotals(10, index, index, 1000)))]);
        return block.Written.ToArray();
    }

    private static byte[] SkippedLines()
    {
        var lines = new ArrayBufferWriter<byte>();
        SkippedItemsCodec.Write(lines, new SkippedItem("/home/a", BackupErrorId.SourceItemUnreadable, "Permission denied"));
        SkippedItemsCodec.Write(lines, new SkippedItem("/home/b", BackupErrorId.SourceItemVanished, "It is gone"));
        return lines.WrittenSpan.ToArray();
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static void Allowing<T>(Action action)
        where T : Exception
    {
        try
        {
            action();
        }
        catch (T e) when (e is not BackupException { Id: BackupErrorId.UnexpectedError })
        {
            // Another input of the same bytes is still to come, or whoever asks minds it.
        }
    }

#pragma warning disable VSTHRD002 // What lies in memory, or in a file, is there at once.
    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static void Wait(Task task) => task.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
}
