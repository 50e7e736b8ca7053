using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Text;
using MSOnlineBackup.Completion;

namespace MSOnlineBackup.Drives;

/// <summary>Takes an encoding by a name that PowerShell has for it, by its registered name, or by the number of its code page.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class TextEncodingAttribute : ArgumentTransformationAttribute
{
    /// <summary>The encodings that PowerShell has a name for.</summary>
    internal static IReadOnlyDictionary<string, Encoding> Named { get; } = new Dictionary<string, Encoding>(StringComparer.OrdinalIgnoreCase)
    {
        ["ascii"] = Encoding.ASCII,
        ["bigendianunicode"] = Encoding.BigEndianUnicode,
        ["bigendianutf32"] = new UTF32Encoding(bigEndian: true, byteOrderMark: true),
        ["unicode"] = Encoding.Unicode,
        ["utf8"] = Encoding.UTF8,
        ["utf8BOM"] = Encoding.UTF8,
        ["utf8NoBOM"] = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        ["utf32"] = Encoding.UTF32,
    };

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object given = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        try
        {
            return given switch
            {
                string name when Named.TryGetValue(name, out Encoding? named) => named,
                string text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int page) => Encoding.GetEncoding(page),
                string name => Encoding.GetEncoding(name),
                int page => Encoding.GetEncoding(page),
                _ => inputData,
            };
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new ArgumentTransformationMetadataException($"There is no encoding '{given}'. Among others there are: {string.Join(", ", Named.Keys)}.", e);
        }
    }
}

/// <summary>Completes the names of encodings.</summary>
public sealed class EncodingCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound) =>
        TextEncodingAttribute.Named.Select(named => (named.Key, named.Value.EncodingName));
}
