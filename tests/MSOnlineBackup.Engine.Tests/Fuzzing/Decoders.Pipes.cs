using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Engine.Tests.Fuzzing;

#pragma warning disable VSTHRD002 // A decoder is asked as any other, and ends before it returns.

/// <content>Of what peers send over pipes.</content>
internal static partial class Decoders
{
    private static IEnumerable<Decoder> OfPipes()
    {
        yield return new(
            "pipe-request",
            content => PipeRequest.Decode((PipeFrameKind)content.FirstOrDefault(), content.AsSpan(Math.Min(1, content.Length))),
            () =>
            [
                WithKind(new PipeRequest(PipeFrameKind.Create, "packs/1", Length: 3, Content: [1, 2, 3])),
                WithKind(new PipeRequest(PipeFrameKind.Create, "packs/1", Length: 1 << 20)),
                WithKind(new PipeRequest(PipeFrameKind.Read, "packs/1", 5, 100)),
                WithKind(new PipeRequest(PipeFrameKind.List, "packs/")),
                WithKind(new PipeRequest(PipeFrameKind.Tell, Content: [1, 2, 3])),
            ],
            typeof(PipeRequest));
        yield return new(
            "pipe-answer",
            content =>
            {
                PipeAnswer.Decode(content);
            },
            () => [PipeAnswer.Encode(new BackupException(BackupErrorId.VaultFull, "It is full.", "Make room.", "/vault", true, errorCode: "0x1", retryAfter: TimeSpan.FromSeconds(2)))],
            typeof(PipeAnswer));
        yield return new(
            "pipe-page",
            content => PipeAnswer.DecodePage(content),
            () =>
            [
                Page(new StoredObject("packs/1", 5, _time), new StoredObject("packs/2", 0, _time)),
            ]);
        yield return new("pipe-greeting", content => PipeGreeting.Decode(content), () => [PipeGreeting.Encode()], typeof(PipeGreeting));
        yield return new("pipe-server", Serve, () => [Conversation(isOfClient: true)]);
        yield return new("pipe-client", Ask, () => [Conversation(isOfClient: false)]);
    }

    private static byte[] WithKind(PipeRequest request) => [(byte)request.Kind, .. request.Encode()];

    private static byte[] Page(params StoredObject[] objects)
    {
        var page = new PipeBodyWriter();
        foreach (StoredObject found in objects)
        {
            PipeAnswer.Encode(page, found);
        }

        return page.ToArray();
    }

    private static void Serve(byte[] content)
    {
        using var incoming = new MemoryStream(content);
        PipedVaultServer.ServeAsync(
            _ => new MemoryVaultStore(), (_, _) => Task.FromResult(PipeAccess.Unlimited), incoming, Stream.Null, CancellationToken.None).GetAwaiter().GetResult();
    }

    // Whatever the other side says: the call ends, with an answer or an error of the engine's.
    private static void Ask(byte[] content)
    {
        using var client = new PipedVaultStore("vault", _ => Task.FromResult<VaultPipe>(new Recorded(content)));
        try
        {
            client.StatAsync("packs/1", CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultUnreachable)
        {
            // What was recorded has come to its end.
        }
    }

    private static byte[] Conversation(bool isOfClient)
    {
        using var bytes = new MemoryStream();
        using var writer = new PipeWriter(bytes);
        writer.WriteGreetingAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        (PipeFrameKind Kind, uint Call, byte[] Body)[] frames = isOfClient
            ?
            [
                (PipeFrameKind.Open, 0, [0]),
                (PipeFrameKind.Create, 1, new PipeRequest(PipeFrameKind.Create, "packs/1", Length: 3, Content: [1, 2, 3]).Encode()),
                (PipeFrameKind.Create, 2, new PipeRequest(PipeFrameKind.Create, "packs/2", Length: 70_000).Encode()),
                (PipeFrameKind.List, 3, new PipeRequest(PipeFrameKind.List).Encode()),
                (PipeFrameKind.Grant, 3, []),
                (PipeFrameKind.Read, 4, new PipeRequest(PipeFrameKind.Read, "packs/1", 0, 3).Encode()),
                (PipeFrameKind.Cancel, 2, []),
                (PipeFrameKind.Delete, 5, new PipeRequest(PipeFrameKind.Delete, "packs/1").Encode()),
                (PipeFrameKind.Measure, 6, []),
            ]
            :
            [
                (PipeFrameKind.Opened, 0, []),
            ];
        foreach ((PipeFrameKind kind, uint call, byte[] body) in frames)
        {
            writer.WriteAsync(kind, call, body, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }

        return bytes.ToArray();
    }

    private sealed class Recorded(byte[] said) : VaultPipe
    {
        private readonly MemoryStream _said = new(said);

        public override Stream Incoming => _said;

        public override Stream Outgoing => Stream.Null;

        protected override void Dispose(bool disposing) => _said.Dispose();
    }
}
