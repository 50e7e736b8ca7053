using System.Buffers.Binary;

namespace MSOnlineBackup.Vaults.Chunks;

/// <summary>
/// One Zstandard frame for one run of bytes: libzstd, or where that cannot be loaded (musl, and processors for which the package has none) its translation
/// into managed code, which gives the same frames in about twice the time. An instance is used by one thread at a time.
/// </summary>
internal abstract class ZstandardCodec : IDisposable
{
    private const uint FrameMagic = 0xfd2fb528;

    private static readonly Func<Compression, ZstandardCodec> _make = Choose();

    // For what is read, and what is written at the usual level: tables of about a megabyte, made when they are first needed.
    [ThreadStatic]
    private static ZstandardCodec? _codec;

    /// <summary>The calling thread's, at the usual level.</summary>
    public static ZstandardCodec OfThread => _codec ??= Create(Compression.Default);

    /// <summary>One of the caller's own: the higher levels take tens of megabytes, which must not stay with every thread of the pool.</summary>
    public static ZstandardCodec Create(Compression compression) => _make(compression);

    /// <summary>libzstd; where it cannot be loaded, the first use throws <see cref="DllNotFoundException"/>.</summary>
    public static ZstandardCodec Native(Compression compression = Compression.Default) => new OfLibrary(LevelOf(compression));

    /// <summary>Managed code.</summary>
    public static ZstandardCodec Managed(Compression compression = Compression.Default) => new OfPort(LevelOf(compression));

    /// <summary>How long a frame can become, whatever is in it.</summary>
    public static int RoomFor(int length) => length + (length >> 8) + 512;

    /// <summary>Compresses.</summary>
    /// <param name="plaintext">What.</param>
    /// <param name="destination">Has <see cref="RoomFor"/> the plaintext.</param>
    /// <returns>The length of the frame.</returns>
    public abstract int Encode(ReadOnlySpan<byte> plaintext, Span<byte> destination);

    /// <summary>Decompresses; false where the bytes are not a frame that gives exactly <paramref name="destination"/>'s length.</summary>
    public bool TryDecode(ReadOnlySpan<byte> encoded, Span<byte> destination) =>
        BinaryPrimitives.TryReadUInt32LittleEndian(encoded, out uint magic) && magic == FrameMagic && TryDecodeFrame(encoded, destination);

    /// <inheritdoc/>
    /// <remarks>Those of threads are given back when their threads have ended, by the finalizers of what they hold.</remarks>
    public abstract void Dispose();

    /// <summary>Decompresses what begins as a frame does.</summary>
    protected abstract bool TryDecodeFrame(ReadOnlySpan<byte> encoded, Span<byte> destination);

    // 1 is what the fastest tools of the field take by default; the others as measured in docs/benchmarks.md.
    private static int LevelOf(Compression compression) => compression switch
    {
        Compression.Fastest => -1,
        Compression.Better => 6,
        Compression.Max => 19,
        _ => 1,
    };

    private static Func<Compression, ZstandardCodec> Choose()
    {
        try
        {
            using ZstandardCodec tried = Native();
            tried.Encode("tried"u8, stackalloc byte[RoomFor(5)]);
            return Native;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException or TypeInitializationException)
        {
            return Managed;
        }
    }

    private sealed class OfLibrary(int level) : ZstandardCodec
    {
        private readonly ZstdNet.CompressionOptions _options = new(level);
        private ZstdNet.Compressor? _compressor;
        private ZstdNet.Decompressor? _decompressor;

        public override int Encode(ReadOnlySpan<byte> plaintext, Span<byte> destination) =>
            (_compressor ??= new ZstdNet.Compressor(_options)).Wrap(plaintext, destination);

        public override void Dispose()
        {
            _compressor?.Dispose();
            _decompressor?.Dispose();
            _options.Dispose();
        }

        protected override bool TryDecodeFrame(ReadOnlySpan<byte> encoded, Span<byte> destination)
        {
            try
            {
                return (_decompressor ??= new ZstdNet.Decompressor()).Unwrap(encoded, destination, bufferSizePrecheck: false) == destination.Length;
            }
            catch (ZstdNet.ZstdException)
            {
                return false;
            }
        }
    }

    private sealed class OfPort(int level) : ZstandardCodec
    {
        private ZstdSharp.Compressor? _compressor;
        private ZstdSharp.Decompressor? _decompressor;

        public override int Encode(ReadOnlySpan<byte> plaintext, Span<byte> destination) =>
            (_compressor ??= new ZstdSharp.Compressor(level)).Wrap(plaintext, destination);

        public override void Dispose()
        {
            _compressor?.Dispose();
            _decompressor?.Dispose();
        }

        protected override bool TryDecodeFrame(ReadOnlySpan<byte> encoded, Span<byte> destination)
        {
            try
            {
                return (_decompressor ??= new ZstdSharp.Decompressor()).TryUnwrap(encoded, destination, out int written) && written == destination.Length;
            }
            catch (ZstdSharp.ZstdException)
            {
                return false;
            }
        }
    }
}
