using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>What a client asks for.</summary>
/// <param name="Kind">The call.</param>
/// <param name="Name">The object's name, or the prefix that is listed; empty where there is none.</param>
/// <param name="Offset">Where a read begins.</param>
/// <param name="Length">How many bytes are read, or an object to be created has.</param>
/// <param name="Tier">The tier that an object is created in.</param>
/// <param name="Content">The content of an object to be created, where it came along; what is told.</param>
internal sealed record PipeRequest(PipeFrameKind Kind, string Name = "", long Offset = 0, long Length = 0, VaultAccessTier Tier = VaultAccessTier.Hot, byte[]? Content = null)
{
    /// <summary>Content up to so many bytes comes along; more waits until the server has room for it.</summary>
    public const int MostInline = 64 << 10;

    /// <summary>Its body.</summary>
    public byte[] Encode() => Kind switch
    {
        PipeFrameKind.Create => new PipeBodyWriter().Text(Name).Byte((byte)Tier).Number(Length).Bytes(Content ?? []).ToArray(),
        PipeFrameKind.Read => new PipeBodyWriter().Text(Name).Number(Offset).Number(Length).ToArray(),
        PipeFrameKind.Stat or PipeFrameKind.List or PipeFrameKind.Delete => new PipeBodyWriter().Text(Name).ToArray(),
        PipeFrameKind.Order or PipeFrameKind.Tell => Content ?? [],
        _ => [],
    };

    /// <summary>Takes one apart. Names, lengths and offsets are those that a store may be asked for.</summary>
    /// <exception cref="BackupException">VaultProgramUnusable where it is none; VaultAccessDenied where the name is none.</exception>
    public static PipeRequest Decode(PipeFrameKind kind, ReadOnlySpan<byte> body)
    {
        var reader = new PipeBodyReader(body);
        PipeRequest request;
        switch (kind)
        {
            case PipeFrameKind.Create:
                (string name, byte tier, long length) = (reader.Text(), reader.Byte(), reader.Number());
                byte[] content = reader.Rest().ToArray();
                if (length < 0 || !Enum.IsDefined((VaultAccessTier)tier) || (length <= MostInline ? content.Length != length : content.Length != 0))
                {
                    throw PipeErrors.Garbled("an object whose length is wrong");
                }

                request = new PipeRequest(kind, name, Length: length, Tier: (VaultAccessTier)tier, Content: length <= MostInline ? content : null);
                break;
            case PipeFrameKind.Read:
                request = new PipeRequest(kind, reader.Text(), reader.Number(), reader.Number());
                if (request.Offset < 0 || request.Length is < 0 or > int.MaxValue)
                {
                    throw PipeErrors.Garbled("a range that is none");
                }

                break;
            case PipeFrameKind.Stat or PipeFrameKind.List or PipeFrameKind.Delete:
                request = new PipeRequest(kind, reader.Text());
                break;
            case PipeFrameKind.Measure:
                request = new PipeRequest(kind);
                break;
            case PipeFrameKind.Order or PipeFrameKind.Tell:
                request = new PipeRequest(kind, Content: reader.Rest().ToArray());
                break;
            default:
                throw PipeErrors.Garbled("a frame that is no call");
        }

        reader.End();
        bool isLegal = kind switch
        {
            PipeFrameKind.Measure or PipeFrameKind.Order or PipeFrameKind.Tell => true,
            PipeFrameKind.List => request.Name.Length == 0 || (request.Name.EndsWith('/') && ObjectName.IsValid(request.Name[..^1])),
            _ => ObjectName.IsValid(request.Name),
        };
        return isLegal ? request : throw PipeErrors.IllegalName();
    }
}

/// <summary>What a server answers.</summary>
internal static class PipeAnswer
{
    private const byte IsTransient = 1;
    private const byte HasTarget = 2;
    private const byte HasCode = 4;
    private const byte HasWait = 8;

    // A page holds what one frame takes; a name has at most 255 characters, all of them one byte.
    private const int MostEntry = 2 + 255 + 8 + 8;
    private const int PageLength = 64 << 10;

    private static readonly TimeSpan _longestWait = TimeSpan.FromDays(1);

    /// <summary>An object's facts.</summary>
    public static void Encode(PipeBodyWriter body, StoredObject found) => body.Text(found.Name).Number(found.Length).Number(found.Created.UtcTicks);

    /// <summary>Whether a page has room for one more object.</summary>
    public static bool HasRoom(PipeBodyWriter page) => page.Length <= PageLength - MostEntry;

    /// <summary>The objects of a page.</summary>
    /// <exception cref="BackupException">VaultProgramUnusable.</exception>
    public static IReadOnlyList<StoredObject> DecodePage(ReadOnlySpan<byte> body)
    {
        var objects = new List<StoredObject>();
        var reader = new PipeBodyReader(body);
        while (!reader.IsAtEnd)
        {
            (string name, long length, long ticks) = (reader.Text(), reader.Number(), reader.Number());
            if (!ObjectName.IsValid(name) || length < 0 || ticks < 0 || ticks > DateTimeOffset.MaxValue.Ticks)
            {
                throw PipeErrors.Garbled("an object that is none");
            }

            objects.Add(new StoredObject(name, length, new DateTimeOffset(ticks, TimeSpan.Zero)));
        }

        return objects;
    }

    /// <summary>A failure as it is told to the other side: all that the user is told, and nothing of where it came from.</summary>
    public static byte[] Encode(BackupException failure)
    {
        int flags = (failure.IsTransient ? IsTransient : 0) | (failure.Target is null ? 0 : HasTarget)
            | (failure.ErrorCode is null ? 0 : HasCode) | (failure.RetryAfter is null ? 0 : HasWait);
        PipeBodyWriter body = new PipeBodyWriter().Byte((byte)flags).Text(failure.Id.ToString()).Text(failure.Message).Text(failure.RecommendedAction);
        if (failure.Target is { } target)
        {
            body.Text(target);
        }

        if (failure.ErrorCode is { } code)
        {
            body.Text(code);
        }

        return failure.RetryAfter is { } wait ? body.Number(wait.Ticks).ToArray() : body.ToArray();
    }

    /// <summary>The failure that the other side told. One that only a newer version knows is the vault's all the same.</summary>
    /// <exception cref="BackupException">VaultProgramUnusable where it is none.</exception>
    public static BackupException Decode(ReadOnlySpan<byte> body)
    {
        var reader = new PipeBodyReader(body);
        (byte flags, string idText, string message, string action) = (reader.Byte(), reader.Text(), reader.Text(), reader.Text());
        string? target = (flags & HasTarget) != 0 ? reader.Text() : null;
        string? code = (flags & HasCode) != 0 ? reader.Text() : null;
        TimeSpan? wait = (flags & HasWait) != 0 ? TimeSpan.FromTicks(Math.Clamp(reader.Number(), 0, _longestWait.Ticks)) : null;
        reader.End();
        if (message.Length == 0 || action.Length == 0)
        {
            throw PipeErrors.Garbled("a failure without words");
        }

        BackupErrorId id = Enum.TryParse(idText, out BackupErrorId known) && Enum.IsDefined(known) && known.ToString() == idText ? known : BackupErrorId.VaultUnreachable;
        return new BackupException(id, message, action, target, (flags & IsTransient) != 0, errorCode: code, retryAfter: wait);
    }
}
