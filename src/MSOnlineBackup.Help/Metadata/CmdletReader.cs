using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace MSOnlineBackup.Help.Metadata;

/// <summary>Reads the cmdlets of an assembly from its metadata: nothing is loaded or run, and PowerShell need not be there.</summary>
internal sealed class CmdletReader
{
    private static readonly TypeNames _names = new();

    private readonly MetadataReader _metadata;
    private readonly Dictionary<string, string[]> _enums;

    private CmdletReader(MetadataReader metadata)
    {
        _metadata = metadata;
        _enums = metadata.TypeDefinitions
            .Select(metadata.GetTypeDefinition)
            .Where(type => IsReferenceTo(metadata, type.BaseType, "Enum"))
            .DistinctBy(type => metadata.GetString(type.Name))
            .ToDictionary(
                type => metadata.GetString(type.Name),
                type => type.GetFields().Select(metadata.GetFieldDefinition)
                    .Where(field => field.Attributes.HasFlag(FieldAttributes.Literal))
                    .Select(field => metadata.GetString(field.Name))
                    .ToArray());
    }

    public static IReadOnlyList<CmdletMetadata> Read(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var reader = new CmdletReader(file.GetMetadataReader());
        return [.. reader._metadata.TypeDefinitions.Select(reader._metadata.GetTypeDefinition).Select(reader.ReadCmdlet).OfType<CmdletMetadata>()];
    }

    private CmdletMetadata? ReadCmdlet(TypeDefinition type)
    {
        if (Attributes(type.GetCustomAttributes(), "CmdletAttribute") is not [var cmdlet])
        {
            return null;
        }

        List<ParameterMetadata> parameters =
        [
            .. from one in WithBases(type)
               from property in one.GetProperties()
               let parameter = ReadParameter(_metadata.GetPropertyDefinition(property))
               where parameter is not null
               select parameter,
        ];
        if (Named(cmdlet, "SupportsShouldProcess", false))
        {
            parameters.Add(Common("WhatIf", "wi"));
            parameters.Add(Common("Confirm", "cf"));
        }

        string name = string.Join('-', cmdlet.FixedArguments.Select(argument => argument.Value));
        return new CmdletMetadata(name, Named<string?>(cmdlet, "DefaultParameterSetName", null), parameters);
    }

    private ParameterMetadata? ReadParameter(PropertyDefinition property)
    {
        CustomAttributeHandleCollection attributes = property.GetCustomAttributes();
        ParameterUseMetadata[] uses = [.. Attributes(attributes, "ParameterAttribute").Select(ReadUse)];
        if (uses.Length == 0)
        {
            return null;
        }

        string type = property.DecodeSignature(_names, null).ReturnType;
        string[] values = Strings(attributes, "ValidateSetAttribute");
        string element = type.Replace("[]", "", StringComparison.Ordinal).Replace("List<", "", StringComparison.Ordinal).TrimEnd('>');
        return new ParameterMetadata(
            _metadata.GetString(property.Name),
            type,
            Strings(attributes, "AliasAttribute"),
            values.Length > 0 ? values : _enums.GetValueOrDefault(element),
            Attributes(attributes, "SupportsWildcardsAttribute").Count > 0,
            uses);
    }

    private static ParameterUseMetadata ReadUse(CustomAttributeValue<string> attribute)
    {
        int position = Named(attribute, "Position", int.MinValue);
        return new ParameterUseMetadata(
            Named<string?>(attribute, "ParameterSetName", null),
            Named(attribute, "Mandatory", false),
            position == int.MinValue ? null : position,
            Named(attribute, "ValueFromPipeline", false),
            Named(attribute, "ValueFromPipelineByPropertyName", false));
    }

    private static ParameterMetadata Common(string name, string alias) =>
        new(name, "SwitchParameter", [alias], null, false, [new ParameterUseMetadata(null, false, null, false, false)]);

    private IEnumerable<TypeDefinition> WithBases(TypeDefinition type)
    {
        yield return type;
        while (type.BaseType.Kind == HandleKind.TypeDefinition)
        {
            type = _metadata.GetTypeDefinition((TypeDefinitionHandle)type.BaseType);
            yield return type;
        }
    }

    private List<CustomAttributeValue<string>> Attributes(CustomAttributeHandleCollection handles, string name) =>
        [.. handles.Select(_metadata.GetCustomAttribute).Where(attribute => Is(attribute, name)).Select(attribute => attribute.DecodeValue(_names))];

    private string[] Strings(CustomAttributeHandleCollection handles, string name) =>
        [.. from attribute in Attributes(handles, name)
            from argument in attribute.FixedArguments
            from value in argument.Value is ImmutableArray<CustomAttributeTypedArgument<string>> list ? list : [argument]
            select (string)value.Value!];

    // Known by its name alone, wherever it is defined.
    private bool Is(CustomAttribute attribute, string name) => attribute.Constructor.Kind switch
    {
        HandleKind.MemberReference => IsReferenceTo(_metadata, _metadata.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent, name),
        HandleKind.MethodDefinition => _metadata.StringComparer.Equals(
            _metadata.GetTypeDefinition(_metadata.GetMethodDefinition((MethodDefinitionHandle)attribute.Constructor).GetDeclaringType()).Name, name),
        _ => false,
    };

    private static bool IsReferenceTo(MetadataReader metadata, EntityHandle type, string name) =>
        type.Kind == HandleKind.TypeReference && metadata.StringComparer.Equals(metadata.GetTypeReference((TypeReferenceHandle)type).Name, name);

    private static T Named<T>(CustomAttributeValue<string> attribute, string name, T otherwise)
    {
        foreach (CustomAttributeNamedArgument<string> argument in attribute.NamedArguments)
        {
            if (argument.Name == name)
            {
                return (T)argument.Value!;
            }
        }

        return otherwise;
    }
}
